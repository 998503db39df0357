#include "common/md5.h"

#include <array>
#include <openssl/evp.h>

#include "common/bytea.h"
#include "common/error.h"

namespace idem {

std::string md5_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr) != 1) {
    throw sql_error(sqlstate::kInternalError, "could not compute MD5 hash");
  }
  std::string out;
  append_hex(out, {static_cast<const char*>(static_cast<const void*>(digest.data())), size});
  return out;
}

}  // namespace idem
