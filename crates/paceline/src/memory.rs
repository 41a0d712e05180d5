//! How much memory the process has taken at most, for `cargo xtask bench`.

use paceline_app::terminal;

/// When this variable is set, it is said at the end.
const WANTED: &str = "PACELINE_PEAK_MEMORY";

/// Says it, where someone wants to know and the system tells.
pub(crate) fn say_if_wanted() {
    if std::env::var_os(WANTED).is_none() {
        return;
    }
    let status = fs_err::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(peak) = status.lines().find_map(|line| line.strip_prefix("VmHWM:")) {
        terminal::say(&format!("peak memory: {}", peak.trim()));
    }
}
