#pragma once

// What the unit tests include from outside the project, compiled once (tests/CMakeLists.txt).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/precompiled.h"
