import Report
import Testing

@Suite("Reports on a terminal")
struct TerminalTests {
  @Test("a report shows layers, sums and the whole model")
  func report() throws {
    var report = Example.report(blocks: 1, kinds: ["q_proj", "fc1"]) { _, place in
      place == 0 ? 0.5 : 0.25
    }
    report.run = nil
    let text = try report.terminalText(style: TerminalStyle(columns: 100))
    #expect(text == Self.expected)
  }

  @Test("a comparison shows each way of pruning below the dense model")
  func comparison() throws {
    let comparison = ComparisonReport(
      title: "Ways of pruning",
      model: "tiny",
      protocolText: "Perplexity of held-out text.",
      densePerplexity: 61.35,
      rows: [
        .init(
          structure: "element",
          target: 0.5,
          method: .surgeon,
          perplexity: 64.02,
          shareRemoved: 0.5,
          seconds: 12.34
        ),
        .init(
          structure: "element",
          target: 0.5,
          method: .magnitude,
          perplexity: 1234.4,
          shareRemoved: 0.5
        ),
        .init(
          structure: "rows-columns",
          target: 0.3,
          method: .kobd,
          perplexity: 80,
          shareRemoved: 0.3012,
          seconds: 72
        ),
      ]
    )
    #expect(try comparison.terminalText() == Self.expectedComparison)
  }

  private static let expectedComparison = """
    Ways of pruning: tiny
    structure     target  method     removed  perplexity  vs dense        time
    ──────────────────────────────────────────────────────────────────────────
    dense                                          61.35
    ──────────────────────────────────────────────────────────────────────────
    element       50.0 %  surgeon     50.0 %       64.02     1.04×      12.3 s
    element       50.0 %  magnitude   50.0 %       1,234     20.1×           –
    ──────────────────────────────────────────────────────────────────────────
    rows-columns  30.0 %  kobd        30.1 %       80.00     1.30×  1 min 12 s
    Perplexity of held-out text.

    """

  private static let expected = """
    Pruning report: example/tiny
    llama, 1 block of width 64, 125 M parameters, float16
    method surgeon, structure element, global allocation, 2 shots
    calibrated on 128 sequences of 2,048 tokens, empirical labels, seed 7

    Shots (losses in nats per token)
    shot  target  removed  predicted rise  loss before
    ──────────────────────────────────────────────────
       1  25.0 %   25.0 %         0.01010            –
       2  50.0 %   50.0 %         0.07000       4.1250

    Layers in model.layers.0. (losses in nats per token)
    layer                 size  kept rows  kept columns  removed  predicted rise  zeroed only  repaired
    ───────────────────────────────────────────────────────────────────────────────────────────────────
    self_attn.q_proj   64 × 64         64            64   50.0 %        0.003500      0.01225   0.00350
    mlp.fc1           256 × 64        256            64   25.0 %        0.000500      0.00175   0.00050
    too narrow for: damping A, G

    By block
    block  weights    kept  removed  predicted rise
    ───────────────────────────────────────────────
        0   20.5 k  14.3 k   30.0 %        0.004000

    By kind
    kind    weights    kept  removed  predicted rise
    ────────────────────────────────────────────────
    q_proj    4,096   2,048   50.0 %        0.003500
    fc1      16.4 k  12.3 k   25.0 %        0.000500

    Whole model
    removed         30.0 % of 20.5 k prunable weights (target 50.0 %)
    loss            4.1160 → 4.2102 nats/token
    perplexity      61.3 → 67.4
    predicted rise  0.00400 nats/token
    measured rise   0.0942 nats/token

    Notes
    * The damping of layer 3 was raised twice.

    """
}
