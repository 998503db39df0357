#pragma once

#include <cstring>

namespace idem {

// One element of a column's or an array's bytes, which need not be aligned.
template <class T>
T load(const void* element) {
  T value;
  std::memcpy(&value, element, sizeof value);
  return value;
}

template <class T>
void store(void* element, const T& value) {
  std::memcpy(element, &value, sizeof value);
}

}  // namespace idem
