#include <fmt/format.h>
#include <iostream>

#include "tools/command.h"

namespace idem::tools {

namespace {

std::string words_of(const CLI::App& command) {
  std::string words;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
    words += sub->get_name() + " ";
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) words += "--" + name + " ";
  }
  return words;
}

// What may follow "idem a b", as one case for each such beginning.
void append_cases(const CLI::App& command, const std::string& path, std::string& out) {
  fmt::format_to(std::back_inserter(out), "    {}) words=\"{}\" ;;\n", path.empty() ? "''" : "'" + path + "'",
                 words_of(command));
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    append_cases(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
  }
}

// zsh runs what was written for bash, but reads lines into an array in a way of its own.
constexpr std::string_view kBashBeginning =
    "# Completion of idem for bash: eval \"$(idem completion bash)\", or put it into "
    "/usr/share/bash-completion/completions/idem.\n"
    "_idem_lines() { mapfile -t COMPREPLY < <(compgen \"$@\"); }\n";
constexpr std::string_view kZshBeginning =
    "# Completion of idem for zsh: put eval \"$(idem completion zsh)\" behind compinit into ~/.zshrc.\n"
    "autoload -Uz bashcompinit && bashcompinit\n"
    "_idem_lines() { COMPREPLY=(\"${(@f)$(compgen \"$@\")}\"); }\n";

std::string completion_script(const CLI::App& app, std::string_view shell) {
  std::string cases;
  append_cases(app, "", cases);
  return fmt::format(
      R"bash({}_idem() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} path= words= word
  for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD - 1))}}"; do
    case $word in
      -*) ;;
      *) path=${{path:+$path }}$word ;;
    esac
  done
  # The longest beginning of the line that is a command.
  while true; do
    case $path in
{}    esac
    [ -n "$words" ] || [ -z "$path" ] && break
    case $path in *' '*) path=${{path% *}} ;; *) path= ;; esac
  done
  case $path/$current in
    /*|*/-*|wal/*) _idem_lines -W "$words --json --help" -- "$current" ;;
    *) _idem_lines -f -- "$current" ;;
  esac
}}
complete -o filenames -F _idem idem
)bash",
      shell == "zsh" ? kZshBeginning : kBashBeginning, cases);
}

}  // namespace

void add_completion_command(CLI::App& app, Invocation&) {
  CLI::App* command =
      app.add_subcommand("completion", "Prints a script that completes commands and options in the shell");
  auto shell = std::make_shared<std::string>("bash");
  command->add_option("shell", *shell, "bash (the default) or zsh")->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&app, shell] { std::cout << completion_script(app, *shell); });
}

}  // namespace idem::tools
