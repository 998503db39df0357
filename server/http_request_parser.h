#pragma once

#include <memory>
#include <span>
#include <string>

#include "server/http_message.h"

namespace idem {

// Takes requests out of the bytes that a client sends, however they are cut; bodies piece by piece. Holds one header (at most 64 KiB) and
// what came with it. Throws SqlError 08P01 for what is no HTTP, 54000 for a header that is too large.
class HttpRequestParser {
 public:
  HttpRequestParser();
  ~HttpRequestParser();

  // Where the next bytes are read to, and how many came.
  std::span<char> space();
  void filled(size_t bytes);
  // Forgets what came and was not parsed.
  void discard();

  // For each request: begin(), parse_header() until it is true, parse_body() until !has_body_to_come().
  void begin();
  bool parse_header();
  std::string parse_body();
  bool has_body_to_come() const;
  size_t unparsed_bytes() const;

  // Once the header is parsed. Throws 08P01 for a target that cannot be read, for other than one host, and for a transfer coding in HTTP/1.0;
  // 0A000 for one other than chunked.
  HttpRequest request() const;
  HttpAnswerForm form() const;    // of its answer
  bool expects_continue() const;  // Expect: 100-continue

 private:
  struct State;
  void parse();
  std::unique_ptr<State> state_;
};

}  // namespace idem
