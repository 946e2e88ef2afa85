//! Sends a body from an open file, piece by piece.

use std::fs::File;
use std::io::SeekFrom;
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::Stream;
use s3s::StdError;
use s3s::stream::{ByteStream, RemainingLength};
use tokio::io::{AsyncReadExt, AsyncSeekExt};

/// Bytes read from disk at a time.
const READ: usize = 256 * 1024;

/// An open file's body, read in pieces.
pub(super) struct FileBody {
    pieces: Pin<Box<dyn Stream<Item = Result<Bytes, std::io::Error>> + Send + Sync>>,
    left: u64,
}

impl FileBody {
    pub(super) fn new(file: File, range: Range<u64>) -> Self {
        let left = range.end - range.start;
        let start = (tokio::fs::File::from_std(file), Some(range.start), left);
        let pieces = futures::stream::try_unfold(start, |(mut file, seek, left)| async move {
            if left == 0 {
                return Ok(None);
            }
            if let Some(start) = seek {
                file.seek(SeekFrom::Start(start)).await?;
            }
            let most = READ.min(usize::try_from(left).unwrap_or(READ));
            let mut piece = BytesMut::zeroed(most);
            file.read_exact(&mut piece).await?;
            Ok(Some((piece.freeze(), (file, None, left - most as u64))))
        });
        Self { pieces: Box::pin(pieces), left }
    }
}

impl Stream for FileBody {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.pieces.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(piece))) = &polled {
            self.left -= piece.len() as u64;
        }
        polled.map_err(Into::into)
    }
}

impl ByteStream for FileBody {
    fn remaining_length(&self) -> RemainingLength {
        RemainingLength::new_exact(usize::try_from(self.left).unwrap_or(usize::MAX))
    }
}
