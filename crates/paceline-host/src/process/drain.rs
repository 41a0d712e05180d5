//! The output of programs that are being ended.

/// The pipes of a program that is being ended. Output that the program still prints is read and thrown away.
///
/// A program may print while it cleans up. If nobody held the pipe, SIGPIPE would kill the program. If nobody
/// read the pipe, the program would wait for room in it.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    #[cfg(unix)]
    pipes: Vec<std::os::fd::OwnedFd>,
}

/// The greatest number of bytes that are read from one pipe at a time. A flood of output must not delay the
/// other programs.
#[cfg(unix)]
const AT_ONCE: usize = 1024 * 1024;

#[cfg(unix)]
impl Drain {
    pub(crate) fn add(&mut self, pipe: &impl std::os::fd::AsFd) {
        // If no descriptor is free, nobody reads this pipe.
        self.pipes.extend(pipe.as_fd().try_clone_to_owned());
    }

    /// Reads the output that is available now. These are pipes of tokio, which never block.
    pub(crate) fn empty(&mut self) {
        let mut buffer = [0; 16 * 1024];
        self.pipes.retain(|pipe| {
            for _ in 0..AT_ONCE / buffer.len() {
                match rustix::io::read(pipe, &mut buffer) {
                    Ok(0) => return false,
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(_) => break,
                }
            }
            true
        });
    }
}

#[cfg(not(unix))]
impl Drain {
    pub(crate) fn add<T>(&mut self, _: &T) {}

    pub(crate) fn empty(&mut self) {}
}
