#include "server/gzip_reader.h"

#include <zlib.h>

#include "common/error.h"

namespace idem {

namespace {

constexpr size_t kPieceBytes = 256 * 1024;

SqlError broken() { return {sqlstate::kInvalidTextRepresentation, "the body is not valid gzip data"}; }

}  // namespace

// Frees the inflater on every way out.
struct GzipReader::Stream {
  z_stream z{};
  Stream() {
    constexpr int kGzip = 16;
    if (inflateInit2(&z, kGzip + MAX_WBITS) != Z_OK)
      throw SqlError(sqlstate::kOutOfMemory, "could not start decompression");
  }
  ~Stream() { inflateEnd(&z); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
};

GzipReader::GzipReader(std::function<std::string()> read)
    : stream_(std::make_unique<Stream>()), read_(std::move(read)) {}
GzipReader::~GzipReader() = default;

void GzipReader::take_input() {
  input_ = read_();
  stream_->z.next_in = reinterpret_cast<Bytef*>(input_.data());
  stream_->z.avail_in = static_cast<uInt>(input_.size());
}

std::string GzipReader::read_piece() {
  z_stream& z = stream_->z;
  std::string piece(kPieceBytes, '\0');
  while (true) {
    if (z.avail_in == 0 && !is_full_) {
      take_input();
      if (input_.empty() && in_member_) throw broken();
      if (input_.empty()) return "";
    }
    in_member_ = true;
    z.next_out = reinterpret_cast<Bytef*>(piece.data());
    z.avail_out = static_cast<uInt>(piece.size());
    const int code = inflate(&z, Z_NO_FLUSH);
    is_full_ = z.avail_out == 0;
    if (code == Z_STREAM_END) {
      in_member_ = is_full_ = false;
      inflateReset(&z);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      throw broken();
    }
    if (z.avail_out == piece.size()) continue;
    piece.resize(piece.size() - z.avail_out);
    return piece;
  }
}

}  // namespace idem
