//! What is asked of the system: processor time and memory of a process, and who runs on which core.

use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Linux counts a process's time in hundredths of a second, whatever its clock ticks at.
const TICK: Duration = Duration::from_millis(10);
const SERVER_CORE: &str = "0";
const CLIENTS_CORE: &str = "1";

/// Processor time of all threads of a process, those that have ended included.
pub fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The program's name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')').expect("a line of stat");
    let ticks = fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u32>().expect("a number"));
    TICK * ticks.sum::<u32>()
}

/// Resident memory in KiB.
pub fn rss(pid: u32) -> f64 {
    memory(pid, "VmRSS:")
}

/// The most resident memory so far, in KiB.
pub fn peak(pid: u32) -> f64 {
    memory(pid, "VmHWM:")
}

fn memory(pid: u32, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process runs");
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).expect("a running process has memory")
}

/// How many files this process, and what it starts, may have open.
pub fn open_files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    soft.map_or(1024, |soft| soft.parse().unwrap_or(usize::MAX))
}

/// While this lives, servers started through [`Cores::wrapper`] run on one core and everything else on another.
pub struct Cores {
    before: Option<String>,
}

impl Cores {
    /// Parts the cores, where there are two and `taskset` is there.
    pub fn part() -> Self {
        let two = std::thread::available_parallelism().is_ok_and(|cores| cores.get() > 1);
        let before = if two { allowed() } else { None };
        if before.is_some() {
            confine(CLIENTS_CORE);
        }
        Self { before }
    }

    pub fn wrapper(&self) -> &'static [&'static str] {
        if self.before.is_some() { &["taskset", "-c", SERVER_CORE] } else { &[] }
    }

    pub fn describe(&self) -> &'static str {
        if self.before.is_some() {
            "The server runs on one core, the clients and the sender on another."
        } else {
            "Server, clients and sender share all cores, for want of a second one or of `taskset`."
        }
    }
}

impl Drop for Cores {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            confine(before);
        }
    }
}

/// The cores this thread may run on, as `taskset` writes them.
fn allowed() -> Option<String> {
    Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .ok()
        .filter(std::process::ExitStatus::success)?;
    let status = fs::read_to_string("/proc/thread-self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    Some(line.trim().to_owned())
}

/// Confines this process's first thread, and with it all that it starts from now on.
fn confine(cores: &str) {
    let pid = std::process::id().to_string();
    let set = Command::new("taskset").args(["-cp", cores, &pid]).stdout(Stdio::null()).status();
    assert!(set.is_ok_and(|status| status.success()), "taskset puts this process on core {cores}");
}

/// Processor, kernel, compiler and day, in one line.
pub fn describe() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory = memory.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let memory: f64 = memory.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0.0);
    let gib = memory / 1024.0 / 1024.0;
    let says = |program: &str, args: &[&str]| {
        let said = Command::new(program).args(args).output().ok()?;
        Some(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    };
    let kernel = says("uname", &["-sr"]).unwrap_or_default();
    let compiler = says("rustc", &["--version"]).unwrap_or_default();
    let day = says("date", &["-u", "+%Y-%m-%d"]).unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{day}: {model}, {cores} cores, {gib:.0} GiB, {kernel}, {compiler}; load {load} when it began.")
}
