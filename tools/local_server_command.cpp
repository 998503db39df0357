#include <fmt/format.h>
#include <iostream>
#include <termios.h>
#include <unistd.h>

#include "common/error.h"
#include "tools/command.h"
#include "tools/json_object.h"
#include "tools/local_server.h"
#include "tools/server_link.h"

namespace idem::tools {

namespace {

struct InitOptions {
  std::string folder;
  uint16_t port = 5433, http_port = 9000;
  bool password = false;
};

struct StopOptions {
  std::string folder;
  int timeout_seconds = 60;
  bool force = false;
};

// From the terminal, not shown, or the first line of standard input.
std::string read_password() {
  const bool terminal = isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal) {
    std::cerr << "Password of admin: " << std::flush;
    tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    tcsetattr(STDIN_FILENO, TCSANOW, &silent);
  }
  std::string password;
  std::getline(std::cin, password);
  if (terminal) {
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    std::cerr << "\n";
  }
  if (password.empty()) throw UsageError("the password is empty");
  return password;
}

std::string settings_text(const InitOptions& options) {
  return fmt::format(
      "# Settings of the server that `idem start` starts; all of them: docs/operations.md.\n"
      "port = {}\n"
      "http_port = {}\n"
      "auth = \"{}\"\n"
      "# listen = \"0.0.0.0\"      # needs auth = \"scram\"\n"
      "# memory_limit = \"4GB\"\n"
      "\n"
      "[settings]                # defaults of what sessions can SET\n"
      "# statement_timeout = \"10min\"\n",
      options.port, options.http_port, options.password ? "scram" : "trust");
}

void print_running(const char* word, const LocalServer& server, const LocalServer::Running& running,
                   const Invocation& invocation) {
  if (invocation.json) {
    JsonObject object;
    object.add("folder", server.folder()).add("pid", running.pid).add("port", running.port);
    if (running.http_port) object.add("http_port", *running.http_port);
    std::cout << object.text() << "\n";
    return;
  }
  std::cout << fmt::format("{} (process {}): psql -h 127.0.0.1 -p {} -U admin main\n", word, running.pid,
                           running.port);
  if (running.http_port) std::cout << fmt::format("console: http://127.0.0.1:{}/\n", *running.http_port);
}

void init(const InitOptions& options, const Invocation& invocation) {
  LocalServer server(options.folder);
  const std::string password = options.password ? read_password() : "";
  server.create(settings_text(options));
  // Once on free ports, where only this program knows it.
  const LocalServer::Running running = server.start({"--port", "0", "--http-port", "0", "--auth", "trust"});
  if (options.password) {
    ServerLink link(fmt::format("host=127.0.0.1 port={} user=admin dbname=main", running.port));
    link.execute("ALTER USER admin PASSWORD " + quoted_literal(password));
  }
  server.stop(60, true);
  if (invocation.json) {
    std::cout << JsonObject()
                     .add("folder", server.folder())
                     .add("port", options.port)
                     .add("http_port", options.http_port)
                     .text()
              << "\n";
  } else {
    std::cout << fmt::format(
        "{}: an empty database; settings are in idemdb.toml there.\nStart a server on it with: idem start "
        "{}\n",
        server.folder(), options.folder);
  }
}

void start(const std::string& folder, const Invocation& invocation) {
  LocalServer server(folder);
  if (!server.is_made())
    throw UsageError(fmt::format("{} has no idemdb.toml: idem init {} makes one", server.folder(), folder));
  if (const auto running = server.running()) {
    print_running("running already", server, *running, invocation);
  } else {
    print_running("started", server, server.start({}), invocation);
  }
}

void stop(const StopOptions& options, const Invocation& invocation) {
  LocalServer server(options.folder);
  if (!server.is_made()) throw UsageError(fmt::format("{} has no idemdb.toml", server.folder()));
  const bool stopped = server.stop(options.timeout_seconds, options.force);
  if (invocation.json)
    std::cout << JsonObject().add_json("stopped", stopped ? "true" : "false").text() << "\n";
  else std::cout << (stopped ? "stopped\n" : "no server is running\n");
}

}  // namespace

void add_local_server_commands(CLI::App& app, Invocation& invocation) {
  auto made = std::make_shared<InitOptions>();
  CLI::App* command =
      app.add_subcommand("init", "Makes a folder with an empty database and settings for idem start");
  command->add_option("folder", made->folder, "missing or empty")->required();
  command->add_option("--port,-p", made->port, "port for SQL (default 5433)");
  command->add_option("--http-port", made->http_port, "port for HTTP and the web console (default 9000)");
  command->add_flag("--password", made->password,
                    "ask for a password of admin, or read it from standard input, and turn passwords on");
  command->callback([made, &invocation] { init(*made, invocation); });

  auto started = std::make_shared<std::string>();
  command = app.add_subcommand("start", "Starts a server on a folder of idem init, in the background");
  command->add_option("folder", *started, "the folder")->required();
  command->callback([started, &invocation] { start(*started, invocation); });

  auto stopped = std::make_shared<StopOptions>();
  command = app.add_subcommand("stop", "Ends the server of idem start cleanly");
  command->add_option("folder", stopped->folder, "the folder")->required();
  command->add_option("--timeout", stopped->timeout_seconds, "seconds to wait for its end (default 60)");
  command->add_flag("--force", stopped->force, "then kill it");
  command->callback([stopped, &invocation] { stop(*stopped, invocation); });
}

}  // namespace idem::tools
