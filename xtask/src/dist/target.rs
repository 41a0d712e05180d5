//! The platforms that binaries are built for.

use anyhow::{Result, bail};

/// A platform, in the words of each packager.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) triple: &'static str,
    /// The platform in the name of a file.
    pub(super) name: &'static str,
    /// The architecture in Debian's words.
    pub(super) deb: &'static str,
    /// The architecture in the words of Node's `process.arch`.
    pub(super) cpu: &'static str,
    /// The C compiler for it.
    pub(super) compiler: &'static str,
    /// How to get such a compiler.
    pub(super) hint: &'static str,
    /// The machine in the header of an ELF file.
    machine: u16,
}

/// Static binaries run on every Linux, whatever its C library.
pub(super) static TARGETS: [Target; 2] = [
    Target {
        triple: "x86_64-unknown-linux-musl",
        name: "x86_64-linux",
        deb: "amd64",
        cpu: "x64",
        compiler: "musl-gcc",
        hint: "install the Debian package musl-tools",
        machine: 62,
    },
    Target {
        triple: "aarch64-unknown-linux-musl",
        name: "aarch64-linux",
        deb: "arm64",
        cpu: "arm64",
        compiler: "aarch64-linux-musl-gcc",
        hint: "put aarch64-linux-musl-gcc on the PATH",
        machine: 183,
    },
];

impl Target {
    /// The platform of a program, from its ELF header.
    pub(super) fn of(program: &[u8]) -> Result<&'static Self> {
        let machine = match program {
            [0x7f, b'E', b'L', b'F', 2, 1, ..] => {
                program.get(18..20).map(|two| u16::from_le_bytes([two[0], two[1]]))
            }
            _ => bail!("it is no 64-bit Linux program"),
        };
        match TARGETS.iter().find(|target| Some(target.machine) == machine) {
            Some(target) => Ok(target),
            None => bail!("there are no packages for its architecture"),
        }
    }

    /// Whether this machine runs programs of the platform.
    pub(super) fn is_host(&self) -> bool {
        cfg!(target_os = "linux") && self.triple.starts_with(std::env::consts::ARCH)
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_program_tells_its_platform_and_a_script_is_none() {
        let mut header = [0; 20];
        header[..6].copy_from_slice(b"\x7fELF\x02\x01");
        header[18] = 183;
        assert_eq!(Target::of(&header).unwrap().deb, "arm64");
        header[18] = 8;
        let unknown = Target::of(&header).unwrap_err();
        assert_eq!(unknown.to_string(), "there are no packages for its architecture");
        for other in [&b"#!/bin/sh"[..], &header[..10], b""] {
            assert!(Target::of(other).is_err());
        }
    }
}
