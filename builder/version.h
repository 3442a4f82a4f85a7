/* The version that --version prints and registries see. */
#pragma once

#define VMBAKE_VERSION "0.1.0"
