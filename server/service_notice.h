#pragma once

#include <string_view>

namespace idem {

// Tells whoever started this process as a service how it is: "READY=1", "STOPPING=1" (sd_notify(3)), by the socket that the variable
// NOTIFY_SOCKET names. Does nothing where there is none; an error is logged.
void send_service_notice(std::string_view message);

}  // namespace idem
