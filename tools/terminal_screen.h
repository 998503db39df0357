#pragma once

#include <optional>
#include <string_view>
#include <termios.h>

namespace idem::tools {

// The whole terminal, drawn again and again; as it was before when destroyed. Keys come one by one and unseen, Ctrl-C too.
class TerminalScreen {
 public:
  TerminalScreen();
  ~TerminalScreen();
  TerminalScreen(const TerminalScreen&) = delete;
  TerminalScreen& operator=(const TerminalScreen&) = delete;

  struct Size {
    size_t rows, columns;
  };
  Size size() const;
  // Replaces what is there; lines and columns that do not fit are cut.
  void draw(std::string_view text);
  // The next key, waiting for it at most so long. '\x03' is Ctrl-C.
  std::optional<char> key(int timeout_millis);

 private:
  termios before_{};
};

}  // namespace idem::tools
