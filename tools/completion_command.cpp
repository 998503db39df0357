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

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  append_cases(app, "", cases);
  return fmt::format(
      R"bash(# Completion of idem for bash: eval "$(idem completion bash)", or put it into /usr/share/bash-completion/completions/idem.
_idem() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} path= words= word
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
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
    /*|*/-*|wal/*) mapfile -t COMPREPLY < <(compgen -W "$words --json --help" -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
  esac
}}
complete -o filenames -F _idem idem
)bash",
      cases);
}

}  // namespace

void add_completion_command(CLI::App& app, Invocation&) {
  CLI::App* command =
      app.add_subcommand("completion", "Prints a script that completes commands and options in the shell");
  auto shell = std::make_shared<std::string>("bash");
  command->add_option("shell", *shell, "bash")->check(CLI::IsMember({"bash"}));
  command->callback([&app] { std::cout << bash_completion(app); });
}

}  // namespace idem::tools
