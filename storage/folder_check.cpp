#include "storage/folder_check.h"

#include <algorithm>

#include "common/error.h"
#include "storage/column_encoder.h"
#include "storage/dictionary_file.h"
#include "storage/encoded_block.h"
#include "storage/segment_file.h"

namespace idem {

namespace {

bool same(const VectorStatistics& a, const VectorStatistics& b) {
  return a.has_bounds == b.has_bounds && a.min == b.min && a.max == b.max && a.null_count == b.null_count;
}

// One segment file being checked.
class SegmentChecker {
 public:
  SegmentChecker(const std::string& path, const CheckReport& report) : path_(path), report_(report) {}

  CheckCounts run(FileSystem& files, uint64_t offset, uint64_t size) {
    ChunkCache no_cache(0);
    begin_ = offset;
    guarded([&] {
      file_ = SegmentFile::open_any(files, path_, no_cache, offset, size);
      counts_.bytes = file_->size();
    });
    if (!file_) return counts_;
    guarded([&] { check_header(); });
    check_layout();
    for (uint32_t patch = 0; patch < file_->footer().patches.size(); ++patch) {
      guarded([&] { check_patch(patch); });
    }
    for (uint32_t group = 0; group < file_->row_group_count(); ++group) check_row_group(group);
    file_.reset();
    return counts_;
  }

 private:
  // Reports what is thrown.
  template <class F>
  void guarded(F&& check) {
    try {
      check();
    } catch (const SegmentDamage& damage) {
      finding(damage.offset(), damage.message());
    } catch (const SqlError& error) { finding(0, error.message()); }
  }

  void finding(uint64_t offset, std::string text) {
    ++counts_.findings;
    report_({path_, offset, std::move(text)});
  }

  void check_header() {
    try {
      check_segment_header(file_->read_header(), file_->footer());
    } catch (const SqlError& error) {
      if (error.sqlstate() != sqlstate::kDataCorrupted) throw;
      throw SegmentDamage(path_, begin_, error.message());
    }
  }

  // Blocks follow each other without gaps, from the header to the footer.
  void check_layout() {
    uint64_t expected = kSegmentHeaderBytes;
    for (const RowGroupFooter& group : file_->footer().row_groups) {
      for (const ColumnChunkFooter& chunk : group.columns) {
        for (const BlockLocation& block : chunk.blocks) {
          if (block.offset != expected)
            finding(begin_ + expected, "a block is not where the one before it ends");
          expected = block.offset + block.size;
        }
      }
    }
    for (const PatchLocation& patch : file_->footer().patches) {
      if (patch.offset != expected)
        finding(begin_ + expected, "a patch is not where the block before it ends");
      expected = patch.offset + patch.size;
    }
  }

  // Rows in other files cannot be looked for here.
  void check_patch(uint32_t index) {
    const SegmentPatch patch = file_->read_patch(index);
    const auto rows_of = [&](const SegmentPatch::RowGroupName& name) -> uint32_t {
      if (name.segment != file_->id()) return kRowGroupSize;
      const auto& groups = file_->footer().row_groups;
      return name.row_group < groups.size() ? groups[name.row_group].rows : 0;
    };
    for (const SegmentPatch::Block& block : patch.blocks) {
      for (const SegmentPatch::Item& item : block.items) {
        const bool there =
            block.index * kVectorSize + item.position < rows_of(patch.base) &&
            (item.kind == BlockPatch::Kind::kDelete || item.row < rows_of(patch.sources[item.source]));
        if (there) continue;
        throw SegmentDamage(path_, begin_ + file_->footer().patches[index].offset,
                            "a patch names rows that are not there");
      }
    }
  }

  void check_row_group(uint32_t index) {
    const RowGroupFooter& group = file_->footer().row_groups[index];
    ++counts_.row_groups;
    counts_.rows += group.rows;
    for (uint32_t column = 0; column < group.columns.size(); ++column) {
      for (uint32_t block = 0; block < group.columns[column].blocks.size(); ++block) {
        guarded([&] { check_block(index, column, block); });
      }
    }
  }

  void check_block(uint32_t group_index, uint32_t column_index, uint32_t block_index) {
    const RowGroupFooter& group = file_->footer().row_groups[group_index];
    const SegmentColumn& column = file_->footer().columns[column_index];
    const ColumnChunkFooter& chunk = group.columns[column_index];
    const BlockLocation& location = chunk.blocks[block_index];
    const auto block = file_->read_block(group_index, column_index, block_index);
    for (uint32_t i = 0; i < location.vector_count; ++i) {
      const uint32_t v = location.first_vector + i;
      const uint32_t rows = std::min(kVectorSize, group.rows - v * kVectorSize);
      guarded([&] {
        ++counts_.vectors;
        Vector vector;
        file_->decode(location, *block, v, {column.type, rows, column.dictionary_size}, &vector);
        const Vector flat = flatten(vector, rows, {nullptr, rows}, false);
        if (!same(compute_statistics(flat, rows), chunk.statistics[v])) {
          throw SegmentDamage(path_, begin_ + location.offset + block->vector_offset(i),
                              "statistics are not the vector's");
        }
      });
    }
  }

  const std::string& path_;
  const CheckReport& report_;
  CheckCounts counts_;
  uint64_t begin_ = 0;  // of the segment in the file
  std::shared_ptr<SegmentFile> file_;
};

}  // namespace

CheckCounts check_segment(FileSystem& files, const std::string& path, const CheckReport& report,
                          uint64_t offset, uint64_t size) {
  return SegmentChecker(path, report).run(files, offset, size);
}

CheckCounts check_dictionary_file(FileSystem& files, const std::string& path, uint32_t count,
                                  const CheckReport& report) {
  CheckCounts counts;
  try {
    const std::string content = read_whole_file(files, path).value_or_throw();
    counts.bytes = content.size();
    check_dictionary_content(content, path, count);
  } catch (const SqlError& error) {
    ++counts.findings;
    report({path, 0, error.message()});
  }
  return counts;
}

}  // namespace idem
