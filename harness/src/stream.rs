//! Pipes and devices that something is written to as it comes.

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Opens the pipe or the device at `path` for writing. A pipe that nobody reads is refused: to wait for a
/// reader would look as if nothing happened.
///
/// # Errors
/// Why it cannot be written.
pub fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().append(true).custom_flags(flags).open(path).map_err(|error| {
        let kind = path.metadata().map(|there| there.file_type());
        match (error.raw_os_error(), kind) {
            (Some(code), Ok(kind)) if code == Errno::NXIO.raw_os_error() && kind.is_fifo() => {
                io::Error::other("nobody reads this pipe; start its reader first")
            }
            (_, Ok(kind)) if kind.is_socket() => io::Error::other("it is a socket"),
            _ => error,
        }
    })?;
    // What is written later may wait for the reader.
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::{CWD, FileType, Mode, mknodat};
    use std::io::{Read, Write};

    #[test]
    fn a_pipe_without_a_reader_is_refused_at_once_and_one_with_a_reader_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let refused = open(&path).unwrap_err().to_string();
        assert_eq!(refused, "nobody reads this pipe; start its reader first");

        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let mut reader = OpenOptions::new().read(true).custom_flags(flags).open(&path).unwrap();
        let mut writer = open(&path).unwrap();
        assert!(!fcntl_getfl(&writer).unwrap().contains(OFlags::NONBLOCK));
        writer.write_all(b"a line\n").unwrap();
        drop(writer);
        let mut read = String::new();
        reader.read_to_string(&mut read).unwrap();
        assert_eq!(read, "a line\n");
    }

    #[test]
    fn a_socket_is_called_so_and_a_device_is_opened() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert_eq!(open(&path).unwrap_err().to_string(), "it is a socket");
        open(Path::new("/dev/null")).unwrap().write_all(b"gone").unwrap();
    }
}
