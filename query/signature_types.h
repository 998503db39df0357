#pragma once

#include "common/sql_type.h"

namespace idem {

// Types as the lists of function signatures name them, after PostgreSQL's pg_type.
inline constexpr SqlType kBool = TypeId::kBoolean, kInt2 = TypeId::kSmallInt, kInt4 = TypeId::kInteger,
                         kInt8 = TypeId::kBigInt, kDouble = TypeId::kDouble, kDecimal = TypeId::kDecimal,
                         kText = TypeId::kText, kName = TypeId::kName, kChar = TypeId::kInternalChar,
                         kBytea = TypeId::kBytea, kJson = TypeId::kJson, kJsonb = TypeId::kJsonb,
                         kStamp = TypeId::kTimestamp, kStampTz = TypeId::kTimestampTz, kDate = TypeId::kDate,
                         kTime = TypeId::kTime, kInterval = TypeId::kInterval, kOid = TypeId::kOid,
                         kRegclass = TypeId::kRegclass;
inline constexpr SqlType kTextArray = SqlType::array_of(TypeId::kText);

}  // namespace idem
