const scratch = new DataView(new ArrayBuffer(4));

/** Bits of the single-precision float equal to `value`, undefined where there is none. */
export function singleBits(value: number): number | undefined {
  if (!Object.is(Math.fround(value), value)) return undefined;
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

/**
 * Bits of the half-precision float equal to the finite single-precision one with these bits, if
 * any.
 */
export function halfOfSingle(bits: number): number | undefined {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const fraction = bits & 0x7f_ffff;
  if (exponent === -127) return fraction === 0 ? sign : undefined;
  if (exponent > 15 || exponent < -24) return undefined;
  if (exponent >= -14) {
    return (fraction & 0x1fff) === 0
      ? sign | ((exponent + 15) << 10) | (fraction >>> 13)
      : undefined;
  }
  // A subnormal half: the leading one becomes explicit.
  const shift = -1 - exponent;
  const significand = fraction | 0x80_0000;
  return (significand & ((1 << shift) - 1)) === 0 ? sign | (significand >>> shift) : undefined;
}

/** The value of a half-precision float. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
