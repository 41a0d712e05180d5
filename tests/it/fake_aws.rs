//! An AWS that gives the answers a test wants: for what the simulator has no switch to provoke.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex};

/// A status and a body.
pub(crate) type Answer = (u16, String);

/// A request as it came in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    /// Such as `PUT /path?query HTTP/1.1`.
    pub(crate) line: String,
    /// The headers, their names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(it, _)| it == name).map(|(_, value)| value.as_str())
    }

    /// What is asked for, in the JSON protocols or in the Query protocol.
    fn operation(&self) -> &str {
        let target = self.header("x-amz-target").and_then(|target| target.rsplit('.').next());
        let action = || self.body.split('&').find_map(|pair| pair.strip_prefix("Action="));
        target.or_else(action).unwrap_or_default()
    }
}

/// A server on a port of its own, there until the tests end.
pub(crate) struct FakeAws {
    pub(crate) address: String,
}

impl FakeAws {
    /// Answers each call by the name of its operation.
    pub(crate) fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::answering(move |request| answer(request.operation()))
    }

    /// Answers each request.
    pub(crate) fn answering(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::serving(None, answer)
    }

    /// Answers each request at this time.
    pub(crate) fn at(date: &str, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::serving(Some(date), answer)
    }

    fn serving(date: Option<&str>, answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(answer);
        let headers = date.map(|date| format!("Date: {date}\r\n")).unwrap_or_default();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (headers, answer) = (headers.clone(), Arc::clone(&answer));
                // A client that goes away is no concern of the server's.
                std::thread::spawn(move || drop(serve(&stream, &headers, &*answer)));
            }
        });
        Self { address }
    }
}

fn serve(stream: &TcpStream, headers: &str, answer: &dyn Fn(&Request) -> Answer) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut request = Request::default();
    reader.read_line(&mut request.line)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    let (status, text) = answer(&request);
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status} Answer\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
}

/// Holds answers back until it is dropped, at the end of a test.
pub(crate) struct Silence {
    _open: Sender<()>,
}

impl Silence {
    /// Gives what waits for its end, too.
    pub(crate) fn new() -> (Self, impl Fn() + Send + Sync + 'static) {
        let (open, closed) = mpsc::channel();
        let closed = Mutex::new(closed);
        // Nothing is ever sent: that the other side is gone is what ends the wait.
        let wait = move || {
            let _ = closed.lock().unwrap().recv();
        };
        (Self { _open: open }, wait)
    }
}

/// What the Query protocol answers.
pub(crate) fn result(operation: &str, xml: &str) -> Answer {
    (200, format!("<{operation}Response><{operation}Result>{xml}</{operation}Result></{operation}Response>"))
}

/// An error of the Query protocol.
pub(crate) fn error(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    (status, format!("<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>"))
}

pub(crate) fn caller() -> Answer {
    let xml =
        "<Arn>arn:aws:iam::111111111111:user/test</Arn><UserId>U</UserId><Account>111111111111</Account>";
    result("GetCallerIdentity", xml)
}

pub(crate) fn assumed() -> Answer {
    result(
        "AssumeRole",
        "<Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>S</SecretAccessKey>\
         <SessionToken>T</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>",
    )
}
