import Mustache

/// The frames of the pages; every tag has three braces, since values are markup already.
enum PageTemplate {
  /// Parses a template of this file.
  private static func parsed(_ template: StaticString) -> MustacheTemplate {
    do {
      return try MustacheTemplate(string: "\(template)")
    } catch {
      preconditionFailure("a template of this file is malformed: \(error)")
    }
  }

  /// A whole page; fields `title`, `style`, `body` and `footer`.
  static let page = parsed(
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="script-src 'none'; connect-src 'none'; \
    img-src 'none'; font-src 'none'; frame-src 'none'; object-src 'none'">
    <title>{{{title}}}</title>
    <style>
    {{{style}}}</style>
    </head>
    <body>
    <main>
    {{{body}}}</main>
    <footer>{{{footer}}}</footer>
    </body>
    </html>

    """
  )

  /// The head of a pruning report.
  static let summary = parsed(
    """
    <h1>{{{heading}}}</h1>
    <p class="soft">{{{model}}}</p>
    <p class="lead">{{{sentence}}}</p>
    <ul class="cards">
    {{#cards}}
    <li><b>{{{value}}}</b><span>{{{label}}}</span></li>
    {{/cards}}
    </ul>
    {{#loss}}
    <p class="soft">Loss is how surprised the model is by real text, in nats for each token; \
    perplexity is e to the power of the loss. Lower is better for both.</p>
    {{/loss}}

    """
  )

  /// The pictures of a report; section `cost` where the loss is predicted.
  static let pictures = parsed(
    """
    <figure>
    <div class="scroll" tabindex="0" role="region" aria-label="{{{shareLabel}}}">
    {{{share}}}
    </div>
    <figcaption>Each square is one weight matrix. The more of it was removed, the more it stands \
    out. The bars show whole blocks (above) and all matrices of one kind (right). Point at a square \
    for its figures.</figcaption>
    </figure>
    {{#cost}}
    <h3>What that costs, as predicted</h3>
    <figure>
    <div class="scroll" tabindex="0" role="region" aria-label="{{{riseLabel}}}">
    {{{rise}}}
    </div>
    <figcaption>How much each matrix adds to the loss, in nats per token. The strongest colour is \
    the costliest matrix of this model.</figcaption>
    </figure>
    {{/cost}}

    """
  )

  /// A table: fields `label`, `height` (a style class), `headings` and `rows` of `cells`.
  static let table = parsed(
    """
    <div class="scroll {{{height}}}" tabindex="0" role="region" aria-label="{{{label}}}">
    <table>
    <thead><tr>{{#headings}}<th scope="col" class="{{{kind}}}">{{{text}}}</th>{{/headings}}</tr></thead>
    <tbody>
    {{#rows}}
    <tr class="{{{emphasis}}}">{{#cells}}{{{cell}}}{{/cells}}</tr>
    {{/rows}}
    </tbody>
    </table>
    </div>

    """
  )

  /// A list of named values.
  static let definitions = parsed(
    """
    <dl>
    {{#entries}}
    <dt>{{{term}}}</dt><dd>{{{value}}}</dd>
    {{/entries}}
    </dl>

    """
  )

  /// A list of sentences.
  static let list = parsed(
    """
    <ul>
    {{#entries}}
    <li>{{{text}}}</li>
    {{/entries}}
    </ul>

    """
  )

  /// The head of a comparison.
  static let comparison = parsed(
    """
    <h1>{{{title}}}</h1>
    <p class="soft">{{{model}}}</p>
    <p class="lead">{{{sentence}}}</p>
    <figure>
    <div class="scroll" tabindex="0" role="region" aria-label="Perplexity of each way of pruning">
    {{{chart}}}
    </div>
    <figcaption>{{{caption}}}</figcaption>
    </figure>

    """
  )
}
