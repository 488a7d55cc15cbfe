//! The client's messages: read piece by piece, and none that is longer than it may be.

use super::connection::{Socket, starting};
use super::{fault, session::Session};
use cogov_model::{Locale, Text};
use pgwire::api::{ClientInfo, PgWireConnectionState};
use pgwire::error::{PgWireError, PgWireResult};
use pgwire::messages::PgWireFrontendMessage;
use tokio::io::AsyncReadExt;
use tokio_util::codec::Decoder;

/// The longest message before sign-in, in bytes. Names and a secret need far less, and whoever is unknown gets no memory.
const LONGEST_BEFORE: usize = 64 << 10;

/// The longest message afterwards, in bytes. A statement has at most 256 KiB; the rest is room for parameters and for
/// scripts of many statements. All of it is held in memory before it is looked at, so every connection may take as much.
const LONGEST_AFTER: usize = 64 << 20;

/// How much is read at once, in bytes.
const PIECE: usize = 8 << 10;

/// The client's next message; none when it closed its end.
///
/// # Errors
/// When a message is too long or none of the protocol, or the connection is broken.
pub(super) async fn message(socket: &mut Socket) -> PgWireResult<Option<PgWireFrontendMessage>> {
    loop {
        if let Some(message) = held(socket)? {
            return Ok(Some(message));
        }
        let mut piece = [0_u8; PIECE];
        let read = socket.get_mut().read(&mut piece).await?;
        if read == 0 {
            return Ok(None);
        }
        socket.read_buffer_mut().extend_from_slice(piece.get(..read).unwrap_or_default());
    }
}

/// The next message of what was read, when it is whole.
fn held(socket: &mut Socket) -> PgWireResult<Option<PgWireFrontendMessage>> {
    let longest = if starting(socket) { LONGEST_BEFORE } else { LONGEST_AFTER };
    // Only the very first message has no letter in front that says what it is.
    let typed = !matches!(socket.state(), PgWireConnectionState::AwaitingStartup);
    if let Some(length) = claimed(socket.read_buffer(), typed)
        && !(4..=longest).contains(&length)
    {
        return Err(wrong_length(socket, length, longest));
    }
    // The codec and what it reads lie in one place: the bytes are taken out while it looks at them.
    let mut bytes = std::mem::take(socket.read_buffer_mut());
    let message = socket.codec_mut().decode(&mut bytes);
    *socket.read_buffer_mut() = bytes;
    message
}

/// The length that a message says it has, itself included, once that was read.
fn claimed(read: &[u8], typed: bool) -> Option<usize> {
    let length = read.get(usize::from(typed)..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*length)).ok()
}

fn wrong_length(socket: &Socket, length: usize, longest: usize) -> PgWireError {
    let words = Text::new(
        format!("a message says it has {length} bytes, and may have 4 to {longest}: send less at once"),
        format!("消息声明长度为 {length} 字节，只能为 4 至 {longest} 字节：请减少一次发送的内容"),
    );
    let locale = Session::of(socket).map_or(Locale::En, |session| session.locale());
    PgWireError::UserError(Box::new(fault::fatal("08P01", words.get(locale))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_before_the_message_is_there() {
        assert_eq!(claimed(&[], true), None);
        assert_eq!(claimed(b"Q\0\0\0", true), None);
        assert_eq!(claimed(b"Q\0\0\0\x05", true), Some(5));
        assert_eq!(claimed(b"\0\x01\0\0more", false), Some(64 << 10));
        assert_eq!(claimed(b"Q\xff\xff\xff\xff", true), Some(0xffff_ffff), "a negative length is a long one");
    }
}
