/**
 * Decodes `%XX`. A "%" that begins no encoded byte stands for itself.
 * @param text Latin-1: each character is a byte
 * @throws TypeError when the bytes are not UTF-8
 */
export function percentDecode(text: string): string {
  const bytes = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_match, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
}
