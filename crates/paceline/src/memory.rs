//! The peak memory of the process, for `cargo xtask bench`.

use paceline_app::terminal;

/// If this variable is set, the process says its peak memory at its end.
const WANTED: &str = "PACELINE_PEAK_MEMORY";

/// Says the peak memory, if the variable is set and the system has `/proc`.
pub(crate) fn say_if_wanted() {
    if std::env::var_os(WANTED).is_none() {
        return;
    }
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        terminal::say(&format!("peak memory: {}", peak.trim()));
    }
}
