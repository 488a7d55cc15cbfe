// Word documents made by hand: an archive of stored files, as small as the format allows.
import { crc32 } from "node:zlib";

/** An archive with one file in it. */
function archive(name, content) {
  const path = Buffer.from(name);
  const data = Buffer.from(content);
  const about = Buffer.alloc(26); // From the version that is needed to the lengths of names.
  about.writeUInt16LE(20, 0);
  about.writeUInt32LE(crc32(data), 10);
  about.writeUInt32LE(data.length, 14);
  about.writeUInt32LE(data.length, 18);
  about.writeUInt16LE(path.length, 22);
  const file = Buffer.concat([Buffer.from("PK\u0003\u0004"), about, path, data]);
  const entry = Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000"), about, Buffer.alloc(14), path]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(entry.length, 8);
  end.writeUInt32LE(file.length, 12);
  return Buffer.concat([file, entry, Buffer.from("PK\u0005\u0006"), end]);
}

const type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

/** A document of these paragraphs, as a file field takes it; `before` stands before its first element. */
export function docx(name, paragraphs, before = "") {
  const inside = paragraphs.map((words) => `<w:p><w:r><w:t>${words}</w:t></w:r></w:p>`).join("");
  const xml = `<?xml version="1.0"?>${before}<w:document xmlns:w="w"><w:body>${inside}</w:body></w:document>`;
  return { name, mimeType: type, buffer: archive("word/document.xml", xml) };
}

/** A text file, as a file field takes it. */
export const text = (name, words) => ({ name, mimeType: "text/markdown", buffer: Buffer.from(words) });
