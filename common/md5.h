#pragma once

#include <string>
#include <string_view>

namespace idem {

// 32 lower-case hexadecimal digits. Throws SqlError XX000 where the crypto library refuses MD5.
std::string md5_hex(std::string_view bytes);

}  // namespace idem
