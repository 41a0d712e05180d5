//! `cargo xtask pages`: writes the page of every kind of run, and checks the pages in a browser.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use xshell::{Shell, cmd};

use crate::browser::Browser;

/// The page that a foreign script is put into, and the picture that is opened.
const ONE: &str = "resumed";
/// The script that uses a page as a person does.
const CHECK: &str = include_str!("pages_check.js");

/// Writes the pages of the report tests, so that a person can look at them in a browser.
pub(crate) fn write(sh: &Shell, folder: &str) -> Result<ExitCode> {
    cmd!(sh, "cargo run --quiet --package paceline-report --example pages -- {folder}").quiet().run()?;
    eprintln!("wrote the pages to {folder}");
    Ok(ExitCode::SUCCESS)
}

/// Opens each page in a browser, and uses it. Without a browser, this is skipped with a message.
pub(crate) fn check(sh: &Shell) -> Result<ExitCode> {
    let folder = sh.create_temp_dir()?;
    let Some(browser) = Browser::find(&folder.path().join("profile")) else {
        eprintln!("SKIPPED: the pages are not checked: no Chromium on PATH, and CHROME names none");
        return Ok(ExitCode::SUCCESS);
    };
    let pages = folder.path().join("pages");
    cmd!(sh, "cargo run --quiet --package paceline-report --example pages -- {pages}").quiet().run()?;
    let (mut passed, mut failed) = (0, 0);
    for page in sorted(&pages, "html")? {
        let name = page.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (checks, problems) =
            check_page(&browser, &page).with_context(|| format!("cannot check {name}"))?;
        for problem in &problems {
            eprintln!("error: {name}: {problem}");
        }
        failed += problems.len();
        passed += checks.saturating_sub(problems.len());
    }
    for (holds, what) in [
        (keeps_scripts_out(&browser, &pages)?, "a foreign script runs in the page"),
        (is_picture(&browser, &pages)?, "the browser cannot draw the picture"),
    ] {
        if holds {
            passed += 1;
        } else {
            eprintln!("error: {ONE}: {what}");
            failed += 1;
        }
    }
    eprintln!("pages: {passed} passed, {failed} failed");
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Checks a page as it is and with the script. Gives the number of checks, and what does not hold.
fn check_page(browser: &Browser, page: &Path) -> Result<(usize, Vec<String>)> {
    let plain = browser.open(page)?;
    let mut problems: Vec<String> =
        plain.console.iter().map(|line| format!("the browser complains: {line}")).collect();
    let text = fs_err::read_to_string(page)?;

    // The checking script is foreign too, so its copy of the page has another policy.
    let report = fs_err::read_to_string(page.with_extension("json"))?.replace('<', "\\u003c");
    let (start, rest) = text.split_once("script-src '").context("the page has no policy")?;
    let (_, rest) = rest.split_once('\'').context("the page's policy has no end")?;
    let checked = format!("{start}script-src 'unsafe-inline'{rest}");
    let checked =
        checked.replace("</body>", &format!("<script>const expected = {report};\n{CHECK}</script></body>"));
    let opened = open_as_html(browser, &page.with_extension("checked"), &checked)?;
    problems.extend(opened.console.iter().map(|line| format!("the browser complains: {line}")));
    let result = opened.dom.split_once("<pre id=\"result\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (result, _) = result.context("the checking script did not end")?;
    let result: Value = serde_json::from_str(&unescape(result))?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    problems.extend(list(&result["problems"]).iter().filter_map(Value::as_str).map(str::to_owned));
    let checks = usize::try_from(result["checks"].as_u64().unwrap_or_default())?;
    ensure!(checks > 0, "the checking script checked nothing");
    let size = text.len() / 1024;
    eprintln!(
        "{}: {size} KiB, {checks} checks, opened in {:.1} s with the start of the browser",
        page.file_stem().unwrap_or_default().display(),
        plain.took.as_secs_f64()
    );
    Ok((checks, problems))
}

/// Whether the policy of the page stops a script that is not its own.
fn keeps_scripts_out(browser: &Browser, pages: &Path) -> Result<bool> {
    let page = pages.join(ONE);
    let text = fs_err::read_to_string(page.with_extension("html"))?;
    let text = text.replace("</body>", "<script>document.title = 'foreign'</script></body>");
    let opened = open_as_html(browser, &page.with_extension("foreign"), &text)?;
    Ok(!opened.dom.contains("<title>foreign</title>") && opened.console.len() == 1)
}

fn is_picture(browser: &Browser, pages: &Path) -> Result<bool> {
    let opened = browser.open(&pages.join(ONE).with_extension("svg"))?;
    Ok(opened.dom.contains("</svg>") && !opened.dom.contains("parsererror") && opened.console.is_empty())
}

fn open_as_html(browser: &Browser, path: &Path, text: &str) -> Result<crate::browser::Opened> {
    let mut path = path.to_owned().into_os_string();
    path.push(".html");
    let path = PathBuf::from(path);
    fs_err::write(&path, text)?;
    browser.open(&path)
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

/// The files of a folder with this extension, in their order.
fn sorted(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let files =
        fs_err::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let mut files: Vec<PathBuf> =
        files.into_iter().filter(|file| file.extension().is_some_and(|it| it == extension)).collect();
    files.sort();
    Ok(files)
}
