#include "server/multipart_reader.h"

#include <gtest/gtest.h>

#include "tests/unit/common/expect_sql_error.h"

namespace idem {
namespace {

// Parts as name(file)=content; in pieces of so many bytes.
std::string parts_of(std::string body, size_t piece_bytes) {
  MultipartReader reader(multipart_boundary("multipart/form-data; boundary=\"x-y\""), [&] {
    const std::string piece = body.substr(0, piece_bytes);
    body.erase(0, piece.size());
    return piece;
  });
  std::string out;
  while (reader.next_part()) {
    out += reader.name() + "(" + reader.file_name() + ")=";
    for (std::string piece = reader.read_part(); !piece.empty(); piece = reader.read_part()) out += piece;
    out += ";";
  }
  return out;
}

TEST(MultipartReader, ReadsPartsHoweverTheyAreCut) {
  const std::string body =
      "preamble\r\n--x-y\r\nContent-Disposition: form-data; name=\"schema\"\r\n\r\n[]\r\n"
      "--x-y\r\ncontent-disposition: form-data; name=data; filename=\"a;b.csv\"\r\nContent-Type: "
      "text/csv\r\n\r\na,b\r\n--x\r\n\r\n--x-y\r\n"
      "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--x-y--\r\nepilogue";
  for (size_t piece = 1; piece <= body.size(); ++piece)
    EXPECT_EQ(parts_of(body, piece), "schema()=[];data(a;b.csv)=a,b\r\n--x\r\n;empty()=;") << piece;
}

TEST(MultipartReader, RefusesWhatIsNone) {
  EXPECT_EQ(multipart_boundary("multipart/form-data"), "");
  expect_sql_error("22P02", "the multipart body is broken: it ends within a part",
                   [] { parts_of("--x-y\r\nA: b\r\n\r\nrest", 4); });
  expect_sql_error("22P02", "the multipart body is broken: it ends within a part", [] { parts_of("", 4); });
  expect_sql_error("22P02", "the multipart body is broken: the header of a part is too large",
                   [] { parts_of("--x-y\r\n" + std::string(100'000, 'h'), 4096); });
}

}  // namespace
}  // namespace idem
