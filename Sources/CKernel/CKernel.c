// Calls that Glibc's Swift overlay does not show without _GNU_SOURCE.
#define _GNU_SOURCE
#include "CKernel.h"
#include <unistd.h>

int daybook_syncfs(int descriptor) { return syncfs(descriptor); }
