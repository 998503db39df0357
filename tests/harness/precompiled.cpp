// Owns the precompiled header of the unit tests: a target needs a source.
#include "tests/harness/precompiled.h"
