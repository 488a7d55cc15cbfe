//! Hands a finished file to the storage: all of it, or nothing.

use super::error::ImportError;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, PutPayload, path::Path};
use sha2::{Digest, Sha256};
use std::{fs::File, io::SeekFrom};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes of one part; S3 wants at least 5 MiB.
const PART: usize = 8 << 20;

/// A file and what it is called.
pub(super) struct Parcel {
    file: tokio::fs::File,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Parcel {
    /// Reads the file once for its SHA-256.
    pub(super) async fn new(file: File) -> Result<Self, ImportError> {
        let reading = || ImportError::io("reading a temporary file");
        let mut file = tokio::fs::File::from_std(file);
        file.seek(SeekFrom::Start(0)).await.map_err(reading())?;
        let (mut digest, mut bytes, mut part) = (Sha256::new(), 0, vec![0; 1 << 20]);
        loop {
            let n = file.read(&mut part).await.map_err(reading())?;
            if n == 0 {
                break;
            }
            digest.update(part.get(..n).unwrap_or_default());
            bytes += n as u64;
        }
        Ok(Self { file, bytes, sha256: hex::encode(digest.finalize()) })
    }

    /// Stores the file at `path`; `stored` hears of the bytes so far.
    pub(super) async fn store(
        mut self,
        store: &dyn ObjectStore,
        path: &Path,
        stored: impl Fn(u64),
    ) -> Result<(), ImportError> {
        let reading = ImportError::io("reading a temporary file");
        self.file.seek(SeekFrom::Start(0)).await.map_err(reading)?;
        let mut upload = store.put_multipart(path).await?;
        match self.parts(upload.as_mut(), stored).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // Best effort: what the storage keeps of an unfinished upload is visible to nobody.
                if let Err(left) = upload.abort().await {
                    tracing::warn!(%left, "an unfinished upload could not be removed");
                }
                Err(error)
            }
        }
    }

    async fn parts(
        &mut self,
        upload: &mut dyn MultipartUpload,
        stored: impl Fn(u64),
    ) -> Result<(), ImportError> {
        let mut sent = 0;
        loop {
            let mut part = Vec::new();
            let mut limited = (&mut self.file).take(PART as u64);
            limited.read_to_end(&mut part).await.map_err(ImportError::io("reading a temporary file"))?;
            if part.is_empty() {
                break;
            }
            sent += part.len() as u64;
            upload.put_part(PutPayload::from(part)).await?;
            stored(sent);
        }
        upload.complete().await?;
        Ok(())
    }
}
