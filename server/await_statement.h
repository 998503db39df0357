#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <memory>
#include <utility>

#include "server/statement_pool.h"

namespace idem {

// Runs a copy of `work` on a statement thread; the coroutine goes on with its result on `executor`. `work` keeps alive what it uses,
// and throws nothing. Give it a name in the coroutine: g++ 12 destroys a closure that is made within a co_await expression twice.
template <class Work>
auto await_statement(StatementPool& statements, boost::asio::any_io_executor executor, const Work& work)
    -> boost::asio::awaitable<decltype(work())> {
  using Result = decltype(work());
  const auto initiate = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    statements.submit([executor, shared, work] {
      auto result = std::make_shared<Result>(work());
      boost::asio::post(executor, [shared, result] { (*shared)(std::move(*result)); });
    });
  };
  co_return co_await boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void(Result)>(
      initiate, boost::asio::use_awaitable);
}

}  // namespace idem
