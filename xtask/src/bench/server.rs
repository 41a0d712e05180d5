//! The embedded AWS in another process, and what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// The embedded AWS in another process. It ends with this value.
pub(super) struct Server {
    process: Child,
    address: String,
    calls: Arc<Mutex<Calls>>,
}

/// The calls of a while.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    /// By `<service> <operation>`.
    pub(super) by_operation: BTreeMap<String, usize>,
    /// The calls that were throttled.
    pub(super) throttled: usize,
    since: Option<Instant>,
    /// The calls of CloudFormation in each second of the while.
    by_second: BTreeMap<u64, usize>,
    /// The time until the first operation of a stack was asked for.
    pub(super) first_operation: Option<Duration>,
}

/// The calls that begin an operation of a stack.
const OPERATIONS: [&str; 3] = ["CreateStack", "UpdateStack", "CreateChangeSet"];
/// The busiest time of so many seconds counts: within a second, calls come in bursts.
const WINDOW: u64 = 10;

impl Calls {
    pub(super) fn of(&self, service: &str) -> usize {
        let operations = self.by_operation.iter();
        operations.filter(|(call, _)| call.split(' ').next() == Some(service)).map(|(_, number)| number).sum()
    }

    /// The calls of CloudFormation a second, in the busiest seconds.
    pub(super) fn busiest(&self) -> f64 {
        let of_window = |from: u64| self.by_second.range(from..from + WINDOW).map(|(_, calls)| calls).sum();
        let most: usize = self.by_second.keys().map(|&from| of_window(from)).max().unwrap_or_default();
        most as f64 / WINDOW as f64
    }

    /// Counts a line of the access log: `<time> <service> <operation> <region> <status> [<error>] [<stack>]`.
    fn count(&mut self, line: &str) {
        let mut words = line.split(' ').skip(1);
        let mut next = || words.next();
        let (Some(service), Some(operation), Some(_region), Some(status)) = (next(), next(), next(), next())
        else {
            return;
        };
        if status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit()) {
            *self.by_operation.entry(format!("{service} {operation}")).or_default() += 1;
            self.throttled += usize::from(next().is_some_and(|error| error.starts_with("Throttling")));
            let passed = self.since.get_or_insert_with(Instant::now).elapsed();
            if service == "cloudformation" {
                *self.by_second.entry(passed.as_secs()).or_default() += 1;
                if OPERATIONS.contains(&operation) {
                    self.first_operation.get_or_insert(passed);
                }
            }
        }
    }
}

impl Server {
    /// Starts it with these arguments of `paceline sim serve`, on a free port.
    pub(super) fn start(program: &Path, arguments: &[&str]) -> Result<Self> {
        #[expect(clippy::disallowed_methods, reason = "it is ended when the value is dropped")]
        let mut command = Command::new(program);
        command.args(["sim", "serve", "--port", "0", "--verbose"]).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().context("the embedded AWS does not start")?;
        let mut address = String::new();
        let stdout = process.stdout.take().context("it has no stdout")?;
        BufReader::new(stdout).read_line(&mut address)?;
        let stderr = process.stderr.take().context("it has no stderr")?;
        let calls = Arc::<Mutex<Calls>>::default();
        let counted = Arc::clone(&calls);
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                counted.lock().unwrap_or_else(PoisonError::into_inner).count(&line);
            }
        });
        Ok(Self { process, address: address.trim().to_owned(), calls })
    }

    /// The environment variables that send a client to it.
    pub(super) fn variables(&self) -> [(&'static str, &str); 4] {
        [
            ("AWS_ENDPOINT_URL", &self.address),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "sim"),
            ("AWS_SECRET_ACCESS_KEY", "sim"),
        ]
    }

    /// Counts the calls from now on.
    pub(super) fn forget_calls(&self) {
        let calls = Calls { since: Some(Instant::now()), ..Calls::default() };
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner) = calls;
    }

    pub(super) fn calls(&self) -> Calls {
        // The server writes a line before it answers, and the thread may read it a little later.
        thread::sleep(Duration::from_millis(200));
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The descriptions and statuses of a region's stacks.
    pub(super) fn stacks(&self, region: &str) -> Result<Vec<(String, String)>> {
        let (mut stacks, mut next) = (Vec::new(), None);
        loop {
            let answer = self.page_of_stacks(region, next.as_deref())?;
            // The status of a stack comes after its description.
            let parts = answer.split("</StackStatus>");
            stacks.extend(
                parts.filter_map(|it| Some((inside(it, "Description")?, inside(it, "StackStatus")?))),
            );
            next = inside(&answer, "NextToken");
            if next.is_none() {
                return Ok(stacks);
            }
        }
    }

    fn page_of_stacks(&self, region: &str, next: Option<&str>) -> Result<String> {
        let host = self.address.trim_start_matches("http://");
        let next = next.map(|token| format!("&NextToken={token}")).unwrap_or_default();
        let body = format!("Action=DescribeStacks&Version=2010-05-15{next}");
        let mut stream = TcpStream::connect(host)?;
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=sim/20260101/{region}/cloudformation/aws4_request, \
             SignedHeaders=host, Signature=0\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        if !answer.starts_with("HTTP/1.1 200") {
            bail!("the embedded AWS does not list the stacks of {region}: {answer}");
        }
        Ok(answer)
    }
}

/// The text of the last element of this name, whose end tag may be missing.
fn inside(xml: &str, name: &str) -> Option<String> {
    let (_, text) = xml.rsplit_once(&format!("<{name}>"))?;
    Some(text.split('<').next().unwrap_or_default().to_owned())
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
