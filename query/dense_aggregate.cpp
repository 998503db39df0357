#include "query/dense_aggregate.h"

#include <algorithm>
#include <array>
#include <limits>

#include "storage/symbol_dictionary.h"

namespace idem {

namespace {

constexpr size_t kMostCodes = size_t{1} << 18;  // lines beyond the last-level cache gain nothing

bool is_plain(const Vector& vector) { return vector.form == Vector::Form::kFlat && !vector.may_have_nulls(); }

// line[0] counts, line[1 + a] adds up argument a.
template <size_t kSums>
void fold_lines(const int32_t* codes, const std::array<const double*, 4>& arguments, Selection rows,
                double* lines) {
  constexpr size_t kWidth = kSums + 1;
  const auto fold = [&](uint32_t row) {
    double* line = lines + static_cast<size_t>(codes[row]) * kWidth;
    line[0] += 1;
    for (size_t a = 0; a < kSums; ++a) line[1 + a] += arguments[a][row];
  };
  if (rows.is_all()) {
    for (uint32_t i = 0; i < rows.count; ++i) fold(i);
  } else {
    for (uint32_t i = 0; i < rows.count; ++i) fold(rows.rows[i]);
  }
}

// NaN is the largest number. A minimum begins as NaN, a maximum as -infinity.
template <bool kMax>
void fold_extremes(const int32_t* codes, const double* values, Selection rows, double* best) {
  for (uint32_t i = 0; i < rows.count; ++i) {
    const uint32_t row = rows[i];
    const double v = values[row];
    double& b = best[codes[row]];
    const bool better = kMax ? v > b || v != v : v < b || b != b;
    b = better ? v : b;
  }
}

}  // namespace

std::unique_ptr<DenseAggregate> DenseAggregate::make(const AggregateLayout& layout, MemoryBudget* budget) {
  std::unique_ptr<DenseAggregate> dense(new DenseAggregate(layout, budget));
  const auto same_argument = [&](size_t a, size_t b) {
    return layout.aggregate(a).arguments[0]->equals(*layout.aggregate(b).arguments[0]);
  };
  for (size_t i = 0; i < layout.size(); ++i) {
    const BoundAggregate& aggregate = layout.aggregate(i);
    if (aggregate.filter || is_deferred(aggregate)) return nullptr;
    DenseState state = dense_sum_state(*aggregate.function);
    if (state == DenseState::kNone) state = dense_extreme_state(*aggregate.function);
    switch (state) {
      case DenseState::kNone: return nullptr;
      case DenseState::kCount: dense->items_.push_back({Kind::kCount, 0}); break;
      case DenseState::kSum: {
        auto& sums = dense->sum_arguments_;
        const auto known =
            std::find_if(sums.begin(), sums.end(), [&](size_t a) { return same_argument(a, i); });
        dense->items_.push_back({Kind::kSum, static_cast<size_t>(known - sums.begin())});
        if (known == sums.end()) sums.push_back(i);
        if (sums.size() > kMostSums) return nullptr;
        break;
      }
      case DenseState::kMin:
      case DenseState::kMax: {
        const bool max = state == DenseState::kMax;
        dense->items_.push_back({max ? Kind::kMax : Kind::kMin, dense->extremes_.size()});
        dense->extremes_.push_back({i, max, {}});
        break;
      }
    }
  }
  return dense;
}

bool DenseAggregate::knows(const int32_t* codes, Selection rows) const {
  const auto size = static_cast<uint32_t>(groups_.size());
  bool missing = false;
  if (known_ == groups_.size() && rows.is_all()) {
    int32_t beyond = 0;  // codes are not negative where nothing is NULL
    for (uint32_t i = 0; i < rows.count; ++i)
      beyond |= static_cast<int32_t>(codes[i] >= static_cast<int32_t>(size));
    return beyond == 0;
  }
  for (uint32_t i = 0; i < rows.count; ++i) {
    const auto code = static_cast<uint32_t>(codes[rows[i]]);
    if (code >= size) return false;
    missing |= groups_[code] == kNoGroup;
  }
  return !missing;
}

bool DenseAggregate::add(const Vector& key, const AggregateUpdater& values, Selection rows) {
  if (!dictionary_ || key.dictionary != dictionary_ || key.form != Vector::Form::kDictionary ||
      key.may_have_nulls())
    return false;
  for (size_t a = 0; a < items_.size(); ++a) {
    for (const Vector& argument : values.arguments(a)) {
      if (items_[a].kind == Kind::kCount ? argument.may_have_nulls() : !is_plain(argument)) return false;
    }
  }
  const int32_t* codes = key.values<int32_t>();
  if (!knows(codes, rows)) return false;
  std::array<const double*, kMostSums> arguments{};
  for (size_t s = 0; s < sum_arguments_.size(); ++s)
    arguments[s] = values.arguments(sum_arguments_[s])[0].values<double>();
  switch (sum_arguments_.size()) {
    case 0: fold_lines<0>(codes, arguments, rows, lines_.data()); break;
    case 1: fold_lines<1>(codes, arguments, rows, lines_.data()); break;
    case 2: fold_lines<2>(codes, arguments, rows, lines_.data()); break;
    case 3: fold_lines<3>(codes, arguments, rows, lines_.data()); break;
    default: fold_lines<4>(codes, arguments, rows, lines_.data()); break;
  }
  for (Extreme& extreme : extremes_) {
    const double* column = values.arguments(extreme.argument)[0].values<double>();
    extreme.max ? fold_extremes<true>(codes, column, rows, extreme.values.data())
                : fold_extremes<false>(codes, column, rows, extreme.values.data());
  }
  return true;
}

void DenseAggregate::resize(size_t codes) {
  groups_.resize(codes, kNoGroup);
  lines_.resize(codes * (sum_arguments_.size() + 1), 0.0);
  for (Extreme& extreme : extremes_) {
    extreme.values.resize(codes, extreme.max ? -std::numeric_limits<double>::infinity()
                                             : std::numeric_limits<double>::quiet_NaN());
  }
  memory_.set(codes * (sizeof(uint32_t) + (sum_arguments_.size() + 1 + extremes_.size()) * sizeof(double)));
}

void DenseAggregate::learn(const Vector& key, Selection rows, const uint32_t* groups) {
  if (!key.dictionary || key.form != Vector::Form::kDictionary || key.may_have_nulls()) return;
  if (!dictionary_) {
    if (key.dictionary->size() > kMostCodes) return;
    dictionary_ = key.dictionary;
    dictionary_owner_ = key.string_owner ? key.string_owner : key.owner;
    resize(dictionary_->size());
  }
  if (key.dictionary != dictionary_) return;
  const int32_t* codes = key.values<int32_t>();
  for (uint32_t i = 0; i < rows.count; ++i) {
    const auto code = static_cast<uint32_t>(codes[rows[i]]);
    if (code >= groups_.size() || groups_[code] != kNoGroup) continue;
    groups_[code] = groups[i];
    ++known_;
  }
}

void DenseAggregate::flush(AggregateStates& states) {
  if (!dictionary_) return;
  const size_t width = sum_arguments_.size() + 1;
  std::vector<uint64_t> state(layout_.stride() / sizeof(uint64_t) + 1);
  char* const bytes = reinterpret_cast<char*>(state.data());
  for (size_t code = 0; code < groups_.size(); ++code) {
    double* line = lines_.data() + code * width;
    if (line[0] == 0) continue;
    const auto rows = static_cast<int64_t>(line[0]);
    layout_.init(bytes);
    for (size_t a = 0; a < items_.size(); ++a) {
      char* const at = bytes + layout_.offset(a);
      switch (items_[a].kind) {
        case Kind::kCount: make_count_state(rows, at); break;
        case Kind::kSum: make_sum_state(line[1 + items_[a].slot], rows, at); break;
        case Kind::kMin:
        case Kind::kMax: make_extreme_state(extremes_[items_[a].slot].values[code], at); break;
      }
    }
    layout_.combine(states.at(groups_[code]), bytes, states.arena());
  }
  std::fill(lines_.begin(), lines_.end(), 0.0);
  for (Extreme& extreme : extremes_) {
    std::fill(
        extreme.values.begin(), extreme.values.end(),
        extreme.max ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN());
  }
}

}  // namespace idem
