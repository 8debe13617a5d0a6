#pragma once
#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78) of `byteCount` bytes at `bytes`, continued from `crc`.
/// Start with 0; the customary inversions at both ends are done inside.
uint32_t daybook_crc32c(uint32_t crc, const void *_Nullable bytes, size_t byteCount);

/// The portable table version, for tests that compare it with the instruction.
uint32_t daybook_crc32c_table(uint32_t crc, const void *_Nullable bytes, size_t byteCount);

/// Makes every checksum of the calling thread 0, so that comparing checksums compares nothing. Only the simulation
/// calls it, to show that it would notice.
void daybook_crc32c_set_constant(int constant);
