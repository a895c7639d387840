import ArgumentParser

@main
struct Surgeon: ParsableCommand {
  static let configuration = CommandConfiguration(abstract: "Makes language models smaller.")
}
