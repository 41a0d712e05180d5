//! How much room is left on a disk.

use camino::Utf8Path;

/// The bytes that this user may still write where a folder is. `None` if the system does not tell.
pub fn free_space(folder: &Utf8Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder.as_std_path()).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}
