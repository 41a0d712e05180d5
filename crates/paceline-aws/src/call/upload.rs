//! Watches uploads. An upload that moves may take as long as it needs. An upload that stands still is given
//! up.
//!
//! The SDK's own protection against stalled streams is not sufficient. It stops watching when the whole body
//! has been handed to the network, so that a missing answer goes unnoticed. And its few seconds cut off
//! connections that are only slow.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::body::{Error, SdkBody};
use aws_smithy_types::byte_stream::ByteStream;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Instant;

/// The longest time without any progress, neither of the body nor of the answer. The buffers of the system
/// are filled in steps, which are far apart on a slow line.
const STANDSTILL: Duration = Duration::from_mins(1);
/// Some proxies take the whole body at once and pass it on. They get the time for this many bytes per second.
const HANDED_ON: u64 = 256 * 1024;

/// An upload in progress.
#[derive(Debug, Clone)]
pub(crate) struct Upload(Arc<Mutex<Moved>>);

#[derive(Debug)]
struct Moved {
    at: Instant,
    /// The number of bytes that have been handed to the network.
    bytes: u64,
}

impl Upload {
    /// Sends a body with the call that `send` makes from it. Returns an error if nothing moves any more.
    pub(crate) async fn watch<T, E, F>(
        body: ByteStream,
        send: impl FnOnce(ByteStream) -> F,
    ) -> Result<T, SdkError<E, HttpResponse>>
    where
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let this = Self(Arc::new(Mutex::new(Moved { at: Instant::now(), bytes: 0 })));
        let watched = Watched { body: body.into_inner(), upload: this.clone() };
        tokio::select! {
            biased;
            answer = send(ByteStream::new(SdkBody::from_body_1_x(watched))) => answer,
            bytes = this.standstill() => Err(SdkError::timeout_error(StandsStill { bytes })),
        }
    }

    /// Completes when nothing has moved for too long. Returns the number of bytes that were sent before.
    async fn standstill(&self) -> u64 {
        loop {
            let (end, bytes) = {
                let moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
                (moved.at + STANDSTILL + Duration::from_secs(moved.bytes / HANDED_ON), moved.bytes)
            };
            if end <= Instant::now() {
                return bytes;
            }
            tokio::time::sleep_until(end).await;
        }
    }

    fn moved(&self, bytes: usize) {
        let mut moved = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        moved.at = Instant::now();
        moved.bytes += bytes as u64;
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the upload stood still after {bytes} bytes")]
struct StandsStill {
    bytes: u64,
}

/// A body that reports when a part of it is taken.
struct Watched {
    body: SdkBody,
    upload: Upload,
}

impl Body for Watched {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.upload.moved(frame.data_ref().map_or(0, Bytes::len));
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        Body::is_end_stream(&self.body)
    }

    fn size_hint(&self) -> SizeHint {
        Body::size_hint(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    const CHUNK: usize = 16 * 1024;

    /// A body of this many chunks.
    struct Chunks(usize);

    impl Body for Chunks {
        type Data = Bytes;
        type Error = Error;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
            let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
            self.0 = left;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; CHUNK])))))
        }
    }

    /// Uploads ten chunks over a line that takes each chunk after one of these pauses, in seconds. The last
    /// pause is before the answer.
    async fn upload(pauses: [u64; 11]) -> Result<usize, SdkError<Infallible, HttpResponse>> {
        let body = ByteStream::new(SdkBody::from_body_1_x(Chunks(10)));
        let line = |body: ByteStream| async move {
            let (mut body, mut taken) = (body.into_inner(), 0);
            for pause in pauses {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                let next = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
                taken += next.map_or(0, |frame| frame.map_or(0, |it| it.data_ref().map_or(0, Bytes::len)));
            }
            Ok(taken)
        };
        Upload::watch(body, line).await
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_moves_may_take_any_time() {
        let start = Instant::now();
        assert_eq!(upload([55; 11]).await.ok(), Some(10 * CHUNK));
        assert_eq!(start.elapsed(), Duration::from_secs(605));
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_stands_still_is_given_up() {
        for (stops_at, moved) in [(0, 0), (3, 3), (10, 10)] {
            let mut pauses = [10; 11];
            pauses[stops_at] = 3600;
            let start = Instant::now();
            let error = upload(pauses).await.unwrap_err();
            let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            assert_eq!(text, format!("the upload stood still after {} bytes", moved * CHUNK));
            let expected = Duration::from_secs(10) * u32::try_from(moved).unwrap() + STANDSTILL;
            assert_eq!(start.elapsed(), expected);
        }
    }
}
