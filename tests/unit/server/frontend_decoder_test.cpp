#include <algorithm>
#include <gtest/gtest.h>
#include <random>

#include "common/error.h"
#include "server/frontend_message.h"

namespace idem {
namespace {

std::string message(char type, const std::string& body) {
  const auto length = static_cast<uint32_t>(body.size() + 4);
  std::string out(1, type);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(length >> shift));
  return out + body;
}

// Reads as a connection does: first into the decoder's own space, what is beyond it through a buffer.
std::vector<FrontendMessage> decode(const std::string& stream, size_t largest_read, bool in_place,
                                    uint64_t seed) {
  std::mt19937_64 random(seed);
  FrontendDecoder decoder;
  decoder.expect_startup_packet(false);
  decoder.set_max_bytes(kMaxMessageBytes);
  std::vector<FrontendMessage> messages;
  for (size_t at = 0; at < stream.size();) {
    FrontendMessage next;
    while (decoder.next(&next)) messages.push_back(std::move(next));
    const size_t bytes = std::min<size_t>(1 + random() % largest_read, stream.size() - at);
    const std::span<char> space = in_place ? decoder.space() : std::span<char>();
    const size_t direct = std::min(bytes, space.size());
    std::copy_n(stream.data() + at, direct, space.data());
    if (!space.empty()) decoder.filled(direct);
    decoder.feed(std::string_view(stream).substr(at + direct, bytes - direct));
    at += bytes;
  }
  FrontendMessage next;
  while (decoder.next(&next)) messages.push_back(std::move(next));
  return messages;
}

TEST(FrontendDecoderTest, LargeMessagesMayBeReadInPlace) {
  std::mt19937_64 random(3);
  std::string stream;
  std::vector<std::string> bodies;
  for (int i = 0; i < 60; ++i) {
    const size_t size = i % 4 == 0 ? random() % 900'000 : random() % 300;
    std::string body(size, '\0');
    for (char& c : body) c = static_cast<char>(random());
    stream += message(i % 2 ? 'd' : 'B', body);
    bodies.push_back(std::move(body));
  }
  for (const size_t largest_read : {size_t{50'000}, size_t{262'144}, stream.size()}) {
    for (const bool in_place : {false, true}) {
      const std::vector<FrontendMessage> messages = decode(stream, largest_read, in_place, largest_read);
      ASSERT_EQ(messages.size(), bodies.size());
      for (size_t i = 0; i < bodies.size(); ++i) {
        EXPECT_EQ(messages[i].type, i % 2 ? 'd' : 'B');
        EXPECT_TRUE(messages[i].body == bodies[i]) << i;
      }
    }
  }
}

TEST(FrontendDecoderTest, MemoryGrowsWithWhatHasCome) {
  FrontendDecoder decoder;
  decoder.expect_startup_packet(false);
  decoder.set_max_bytes(kMaxMessageBytes);
  decoder.feed(message('d', "").substr(0, 1) +
               std::string("\x3f\xff\xff\x00", 4));  // a gigabyte is announced
  FrontendMessage next;
  EXPECT_FALSE(decoder.next(&next));
  EXPECT_LE(decoder.space().size(), size_t{1} << 20);
}

}  // namespace
}  // namespace idem
