#include "storage/encoded_block.h"

#include <fmt/format.h>

#include "common/byte_io.h"
#include "common/crc32c.h"
#include "common/error.h"
#include "storage/codec_string.h"

namespace idem {

namespace {

constexpr size_t directory_bytes(size_t vectors) { return 4 + vectors * 12 + 12; }

}  // namespace

std::shared_ptr<const EncodedBlock> EncodedBlock::parse(std::unique_ptr<char[]> bytes,
                                                        const BlockLocation& location) {
  const size_t directory = directory_bytes(location.vector_count);
  const std::string_view all(bytes.get(), location.size);
  if (directory > all.size()) throw BlockDamage{0, "block is too short"};
  if (crc32c(all.data(), directory) != location.directory_crc)
    throw BlockDamage{0, "wrong checksum of a block's directory"};
  ByteReader in(all.substr(0, directory), "directory");
  if (in.u32() != location.vector_count) throw BlockDamage{0, "wrong number of vectors"};
  const auto block = std::shared_ptr<EncodedBlock>(new EncodedBlock());
  std::vector<uint32_t> crcs(location.vector_count);
  std::vector<uint64_t> sizes(location.vector_count);
  for (uint32_t i = 0; i < location.vector_count; ++i) {
    sizes[i] = in.u64();
    crcs[i] = in.u32();
  }
  const uint64_t parameters_size = in.u64();
  const uint32_t parameters_crc = in.u32();
  uint64_t left = all.size() - directory;
  bool fits = parameters_size <= left;
  if (fits) left -= parameters_size;
  for (const uint64_t size : sizes) {
    fits = fits && size <= left;
    if (fits) left -= size;
  }
  if (!fits || left != 0) throw BlockDamage{0, "sizes of vectors do not add up"};
  const std::string_view parameters = all.substr(directory, parameters_size);
  if (crc32c(parameters.data(), parameters.size()) != parameters_crc) {
    throw BlockDamage{directory, "wrong checksum of a block's parameters"};
  }
  size_t offset = directory + parameters_size;
  block->vectors_begin_ = offset;
  for (uint32_t i = 0; i < location.vector_count; ++i) {
    if (crc32c(all.data() + offset, sizes[i]) != crcs[i]) {
      throw BlockDamage{offset, fmt::format("wrong checksum of vector {}", location.first_vector + i)};
    }
    offset += sizes[i];
    block->ends_.push_back(offset);
  }
  try {
    block->dictionary_ = read_string_dictionary(parameters);
  } catch (const SqlError& error) { throw BlockDamage{directory, error.message()}; }
  block->bytes_ = std::move(bytes);
  block->size_ = location.size;
  return block;
}

void EncodedBlock::decode(uint32_t index, const VectorContext& context, Vector* out) const {
  decode_vector({bytes_.get() + vector_offset(index), vector_size(index)}, context, dictionary_,
                shared_from_this(), out);
}

size_t EncodedBlock::memory_bytes() const {
  return sizeof *this + size_ + ends_.capacity() * sizeof(uint64_t) +
         dictionary_.capacity() * sizeof(std::string_view);
}

void BlockBuilder::begin(const std::string& parameters) {
  parameters_ = parameters;
  vectors_.clear();
  sizes_.clear();
  crcs_.clear();
}

void BlockBuilder::add(std::string_view vector) {
  vectors_.append(vector);
  sizes_.push_back(vector.size());
  crcs_.push_back(crc32c(vector.data(), vector.size()));
}

size_t BlockBuilder::size() const {
  return directory_bytes(sizes_.size()) + parameters_.size() + vectors_.size();
}

BlockLocation BlockBuilder::finish(std::string* out) {
  BlockLocation location;
  location.size = size();
  location.vector_count = vector_count();
  std::string directory;
  ByteWriter writer(directory);
  writer.u32(vector_count());
  for (size_t i = 0; i < sizes_.size(); ++i) {
    writer.u64(sizes_[i]);
    writer.u32(crcs_[i]);
  }
  writer.u64(parameters_.size());
  writer.u32(crc32c(parameters_.data(), parameters_.size()));
  location.directory_crc = crc32c(directory.data(), directory.size());
  out->append(directory).append(parameters_).append(vectors_);
  return location;
}

}  // namespace idem
