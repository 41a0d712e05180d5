use bytes::{Bytes, BytesMut};

use crate::wire::{Fault, Request};

/// The content of an upload, without the `aws-chunked` framing.
///
/// Amazon S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in
/// Multiple Chunks": `size-in-hex[;chunk-signature=…]\r\n data \r\n`, then trailers.
pub(super) fn payload(request: &Request) -> Result<Bytes, Fault> {
    let chunked = request.header("content-encoding").is_some_and(|value| value.contains("aws-chunked"))
        || request.header("x-amz-content-sha256").is_some_and(|value| value.starts_with("STREAMING-"));
    if !chunked {
        return Ok(request.body.clone());
    }
    let broken = || Fault::bad("IncompleteBody", "The request body terminated unexpectedly");
    let mut rest = &request.body[..];
    let mut body = BytesMut::with_capacity(rest.len());
    loop {
        let end = rest.windows(2).position(|pair| pair == b"\r\n").ok_or_else(broken)?;
        let line = std::str::from_utf8(&rest[..end]).map_err(|_| broken())?;
        let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
            .map_err(|_| broken())?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Ok(body.freeze());
        }
        body.extend_from_slice(rest.get(..size).ok_or_else(broken)?);
        rest = rest.get(size..).and_then(|rest| rest.strip_prefix(b"\r\n")).ok_or_else(broken)?;
    }
}
