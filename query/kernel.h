#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "query/function.h"

namespace idem {

// Kernels from functions over one row: row_kernel<[](double x) { return std::fabs(x); }>.
//
// The parameters' C++ types are those of the arguments' physical types; bool for BOOLEAN, std::string_view
// for strings, std::optional<T> where a function that is not strict wants to see NULLs, const Vector& /
// kernel row access through KernelCall. A first parameter KernelCall& gives the state and the types of the
// call. A parameter std::string& before the arguments is an empty string that takes a text result; the
// function then returns nothing, or false for NULL. Results: a value, or std::optional of one where it may be
// NULL.
struct KernelCall {
  EvaluationState& state;
  const CallTypes& types;
  std::span<const Vector> arguments;
  uint32_t row = 0;

  bool is_valid(size_t argument) const { return arguments[argument].is_valid(row); }
  uint32_t index_of(size_t argument) const { return arguments[argument].is_constant() ? 0 : row; }
  template <class T>
  const T& at(size_t argument) const {
    return arguments[argument].values<T>()[index_of(argument)];
  }
  // The element in the layout of its physical type, for text and comparison by type.
  const void* element(size_t argument) const {
    const Vector& v = arguments[argument];
    return static_cast<const char*>(v.data) + physical_size(physical_type(v.type)) * index_of(argument);
  }
};

namespace kernel_detail {

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, uint8_t,
                                  std::conditional_t<std::is_same_v<T, std::string>, std::string_view, T>>;

template <class T>
struct Reader {
  explicit Reader(const Vector& v) : data(v.values<Stored<T>>()), mask(v.is_constant() ? 0 : ~0U) {}
  decltype(auto) operator[](uint32_t row) const {
    if constexpr (std::is_same_v<T, bool>) {
      return data[row & mask] != 0;
    } else {
      return (data[row & mask]);
    }
  }
  const Stored<T>* data;
  uint32_t mask;
};

template <class T>
struct Reader<std::optional<T>> {
  explicit Reader(const Vector& v) : vector(v), values(v) {}
  std::optional<T> operator[](uint32_t row) const {
    if (!vector.is_valid(row)) return std::nullopt;
    return values[row];
  }
  const Vector& vector;
  Reader<T> values;
};

template <class Method>
struct Signature;
template <class Class, class Result_, class... A>
struct Signature<Result_ (Class::*)(A...) const> {
  using Result = Result_;
  using Parameters = std::tuple<A...>;
};

template <class Tuple>
struct Leading {
  static constexpr bool kCall = false;
  static constexpr bool kText = false;
};
template <class First, class... Rest>
struct Leading<std::tuple<First, Rest...>> {
  static constexpr bool kCall = std::is_same_v<First, KernelCall&>;
  static constexpr bool second_is_text() {
    if constexpr (sizeof...(Rest) == 0) {
      return false;
    } else {
      return std::is_same_v<std::tuple_element_t<0, std::tuple<Rest...>>, std::string&>;
    }
  }
  static constexpr bool kText = kCall ? second_is_text() : std::is_same_v<First, std::string&>;
};

// Marks NULL results; the mask is made when the first one comes.
class NullMarker {
 public:
  NullMarker(Vector* result, uint32_t size) : result_(result), size_(size) {}
  void mark(uint32_t row) {
    if (words_ == nullptr) words_ = result_->allocate_validity(size_);
    words_[row >> 6] &= ~(uint64_t{1} << (row & 63));
  }

 private:
  Vector* result_;
  uint32_t size_;
  uint64_t* words_ = nullptr;
};

template <class R>
void store(Vector* result, void* elements, uint32_t row, NullMarker& nulls, R&& value) {
  using T = std::remove_cvref_t<R>;
  if constexpr (is_optional<T>::value) {
    using V = typename T::value_type;
    if (value) {
      store(result, elements, row, nulls, std::move(*value));
    } else {
      static_cast<Stored<V>*>(elements)[row] = Stored<V>{};
      nulls.mark(row);
    }
  } else if constexpr (std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>) {
    static_cast<std::string_view*>(elements)[row] = result->store_string(value);
  } else {
    static_cast<Stored<T>*>(elements)[row] = static_cast<Stored<T>>(value);
  }
}

template <class T>
constexpr bool is_text = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;
template <class T>
constexpr bool is_text<std::optional<T>> = is_text<T>;

template <class T>
size_t text_bytes(const T& value) {
  if constexpr (!is_text<T>) {
    return 0;
  } else if constexpr (is_optional<T>::value) {
    return value ? value->size() : 0;
  } else {
    return value.size();
  }
}

// A vector of long texts takes seconds and gigabytes: after so many characters, read or made, looks at the cancel token
// and at whether what was made fits what is left of the query's memory (53200).
class TextWork {
 public:
  explicit TextWork(const EvaluationState& state) : context_(state.context) {}
  void add(size_t read, size_t made) {
    made_ += made;
    left_ -= static_cast<int64_t>(read + made);
    if (left_ > 0 || !context_) return;
    left_ = kBytesPerCheck;
    if (context_->cancel) context_->cancel->check();
    if (context_->memory) MemoryReservation(*context_->memory, made_);
  }

 private:
  static constexpr int64_t kBytesPerCheck = 1 << 20;
  const ExecutionContext* context_;
  size_t made_ = 0;
  int64_t left_ = kBytesPerCheck;
};

template <auto F, class Parameters, size_t kSkip, size_t... I>
void run(KernelCall& call, uint32_t size, Selection selection, Vector* result, std::index_sequence<I...>) {
  using Lead = Leading<Parameters>;
  using R = typename Signature<decltype(&decltype(F)::operator())>::Result;
  void* elements = result->allocate(call.types.result, size);
  NullMarker nulls(result, size);
  const std::tuple<Reader<std::remove_cvref_t<std::tuple_element_t<kSkip + I, Parameters>>>...> readers(
      Reader<std::remove_cvref_t<std::tuple_element_t<kSkip + I, Parameters>>>(call.arguments[I])...);
  std::string text;
  TextWork work(call.state);
  const auto note = [&](uint32_t row, size_t made) {
    if constexpr (Lead::kText || is_text<R> ||
                  (is_text<std::remove_cvref_t<std::tuple_element_t<kSkip + I, Parameters>>> || ...))
      work.add((size_t{0} + ... + text_bytes(std::get<I>(readers)[row])), made);
  };
  const auto one = [&](uint32_t row) {
    call.row = row;
    if constexpr (Lead::kText) {
      text.clear();
      auto* texts = static_cast<std::string_view*>(elements);
      if constexpr (std::is_same_v<R, bool>) {
        bool valid = false;
        if constexpr (Lead::kCall) {
          valid = F(call, text, std::get<I>(readers)[row]...);
        } else {
          valid = F(text, std::get<I>(readers)[row]...);
        }
        if (!valid) {
          nulls.mark(row);
          texts[row] = {};
          return;
        }
      } else if constexpr (Lead::kCall) {
        F(call, text, std::get<I>(readers)[row]...);
      } else {
        F(text, std::get<I>(readers)[row]...);
      }
      note(row, text.size());
      texts[row] = result->store_string(text);
    } else {
      auto value = [&] {
        if constexpr (Lead::kCall) {
          return F(call, std::get<I>(readers)[row]...);
        } else {
          return F(std::get<I>(readers)[row]...);
        }
      }();
      note(row, text_bytes(value));
      store(result, elements, row, nulls, std::move(value));
    }
  };
  if (selection.is_all()) {
    for (uint32_t row = 0; row < selection.count; ++row) one(row);
  } else {
    for (uint32_t i = 0; i < selection.count; ++i) one(selection.rows[i]);
  }
}

}  // namespace kernel_detail

template <auto F>
void row_kernel(EvaluationState& state, const CallTypes& types, std::span<const Vector> arguments,
                uint32_t size, Selection selection, Vector* result) {
  using Parameters = typename kernel_detail::Signature<decltype(&decltype(F)::operator())>::Parameters;
  using Lead = kernel_detail::Leading<Parameters>;
  constexpr size_t kSkip = (Lead::kCall ? 1 : 0) + (Lead::kText ? 1 : 0);
  KernelCall call{state, types, arguments};
  kernel_detail::run<F, Parameters, kSkip>(call, size, selection, result,
                                           std::make_index_sequence<std::tuple_size_v<Parameters> - kSkip>());
}

}  // namespace idem
