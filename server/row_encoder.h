#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/value_text.h"
#include "query/logical_plan.h"

namespace idem {

// Writes chunks of a result as DataRow messages, in text or binary as Bind asked for each column.
class RowEncoder {
 public:
  RowEncoder(const std::vector<PlanColumn>& columns, const std::vector<int16_t>& formats,
             std::shared_ptr<const TimeZone> zone, int extra_float_digits);

  // Appends one DataRow for each selected row [first, first + count) of the chunk.
  void encode(const DataChunk& chunk, uint32_t first, uint32_t count, std::string& out);

 private:
  struct Column;
  using EncodeFunction = void (*)(const Column& column, uint32_t row, const TextOptions& text,
                                  std::string& out);

  struct Column {
    SqlType type;
    EncodeFunction encode = nullptr;
    Vector vector;  // flat, of the current chunk
    uint32_t element_size = 0;
  };

  static EncodeFunction encode_function(SqlType type, bool binary);

  std::vector<Column> columns_;
  std::shared_ptr<const TimeZone> zone_;
  TextOptions text_;
};

}  // namespace idem
