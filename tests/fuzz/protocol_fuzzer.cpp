#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/error.h"
#include "server/frontend_message.h"

// Any bytes are messages of the wire protocol or fail with SqlError (08P01 where they are none), however they are cut into pieces, and the decoder holds
// no more memory than has arrived. The first byte says whether a start-up packet comes first and how long the pieces are.
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void decode(const idem::FrontendMessage& message) {
  const std::string_view body = message.body;
  switch (message.type) {
    case 0: {
      const idem::StartupPacket packet = idem::decode_startup(body);
      idem::parse_startup_options(packet.parameter("options"));
      break;
    }
    case 'P': idem::decode_parse(body); break;
    case 'B':
      for (const idem::RawParameter& parameter : idem::decode_bind(body).parameters) {
        if (!parameter.bytes) continue;
        require(parameter.bytes->data() >= body.data() &&
                parameter.bytes->data() + parameter.bytes->size() <= body.data() + body.size());
      }
      break;
    case 'E': idem::decode_execute(body); break;
    case 'D':
    case 'C': idem::decode_target(body); break;
    default: break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool startup = (data[0] & 1) != 0;
  const size_t piece = size_t{1} << (data[0] >> 1 & 7);
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  idem::FrontendDecoder decoder;
  decoder.expect_startup_packet(startup);
  if (!startup) decoder.set_max_bytes(idem::kMaxMessageBytes);
  try {
    while (!bytes.empty()) {
      decoder.feed(bytes.substr(0, piece));
      bytes.remove_prefix(std::min(piece, bytes.size()));
      idem::FrontendMessage message;
      while (decoder.next(&message)) {
        decoder.expect_startup_packet(false);
        require(message.body.size() < size);
        try {
          decode(message);
        } catch (const idem::SqlError& error) {
          require(error.sqlstate() == idem::sqlstate::kProtocolViolation ||
                  error.sqlstate() == idem::sqlstate::kSyntaxError ||
                  error.sqlstate() == idem::sqlstate::kInvalidParameterValue ||  // a code of a format
                  error.sqlstate() == idem::sqlstate::kCharacterNotInRepertoire);
        }
      }
      require(decoder.buffered() < size);
    }
  } catch (const idem::SqlError& error) { require(error.sqlstate() == idem::sqlstate::kProtocolViolation); }
  return 0;
}
