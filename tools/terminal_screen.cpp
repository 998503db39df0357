#include "tools/terminal_screen.h"

#include <iostream>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

namespace idem::tools {

namespace {

// As many characters as fit, escape sequences and the later bytes of a character not counted.
std::string cut(std::string_view line, size_t columns) {
  std::string out;
  bool in_escape = false;
  for (const char c : line) {
    const bool visible = !in_escape && c != '\x1b' && (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    if (visible && columns == 0) continue;
    columns -= visible;
    out += c;
    in_escape = (in_escape || c == '\x1b') && c != 'm';
  }
  return out;
}

}  // namespace

TerminalScreen::TerminalScreen() {
  tcgetattr(STDIN_FILENO, &before_);
  termios raw = before_;
  raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG);
  tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  std::cout << "\x1b[?1049h\x1b[?25l" << std::flush;  // the other screen, no cursor
}

TerminalScreen::~TerminalScreen() {
  std::cout << "\x1b[?25h\x1b[?1049l" << std::flush;
  tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

TerminalScreen::Size TerminalScreen::size() const {
  winsize window{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0) return {24, 80};
  return {window.ws_row, window.ws_col};
}

void TerminalScreen::draw(std::string_view text) {
  const Size window = size();
  std::string out = "\x1b[H";
  size_t row = 0;
  for (size_t begin = 0; begin < text.size() && row < window.rows; ++row) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    if (row > 0) out += "\r\n";
    out += cut(text.substr(begin, end - begin), window.columns) + "\x1b[K";
    begin = end + 1;
  }
  std::cout << out << "\x1b[J" << std::flush;
}

std::optional<char> TerminalScreen::key(int timeout_millis) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (poll(&input, 1, timeout_millis) != 1) return std::nullopt;
  char pressed = 0;
  return read(STDIN_FILENO, &pressed, 1) == 1 ? std::optional(pressed) : std::optional('\x03');
}

}  // namespace idem::tools
