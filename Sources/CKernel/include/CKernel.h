#pragma once
#include <stddef.h>
#include <stdint.h>

/// `syncfs(2)`: writes back everything of the file system that holds `descriptor`. 0 or -1 with errno.
int daybook_syncfs(int descriptor);
