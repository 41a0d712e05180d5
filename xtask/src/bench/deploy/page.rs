//! The page that shows the figures, in Markdown.

use std::fmt::Write as _;

use super::case::Start;
use super::program::{CDK, Program};
use super::{Compared, Run};

/// Shows the figures of all cases.
pub(super) fn page(compared: &[Compared], times: usize) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut page = format!(
        "# Paceline and the CDK CLI, side by side\n\n\
         `cargo xtask bench deploy --runs {times} > docs/benchmarks.md` makes this page. It deploys the same synthesized apps with the CDK\n\
         CLI {CDK} and with a release build of Paceline, in turn, to the same embedded AWS: `paceline sim serve`, another\n\
         process on the same machine, which has {cores} cores. Nothing here was measured on AWS. The embedded AWS takes the times\n\
         that a table by resource type names, throttles at the rates that CloudFormation documents, and answers at once\n\
         otherwise. Each stack has one resource.\n\n\
         Both programs get the same `--concurrency`. The CDK CLI also gets `--all`, `--require-approval never`,\n\
         `--asset-build-concurrency 16`, `--no-notices`, and no telemetry. Neither knows anything of earlier runs. The time is\n\
         that of the whole process. The lower bound is the longest time of three: that of the longest chain of operations,\n\
         that of all operations at this concurrency, and that of their calls at the documented rate. It has no time for change\n\
         sets, which `direct` does not make. Paceline counts an update as complete when CloudFormation says so, and the CDK\n\
         CLI when CloudFormation has also deleted what the update replaced. Nothing is replaced here.\n\n\
         ## Times\n\n\
         The median time in seconds, with the shortest and the longest. The last column compares with the CDK CLI's default,\n\
         if the ranges of all runs do not overlap. The number of stacks is that of the run that deployed the fewest.\n"
    );
    for Compared { case, bound, runs } in compared {
        let bound = bound.map_or_else(String::new, |bound| format!(" Lower bound: {bound:.0} s."));
        let _ =
            write!(page, "\n**{}**: {}. Concurrency {}.{bound}\n\n", case.name, case.says, case.concurrency);
        page.push_str("| | time | stacks | of the CDK CLI's time |\n|---|---:|---:|---:|\n");
        let cdk = Times::of(runs, Program::Cdk);
        for &program in case.programs {
            let times = Times::of(runs, program);
            let is_alone = program == Program::Cdk || !case.programs.contains(&Program::Cdk);
            let compared = if is_alone { String::new() } else { times.compared(&cdk) };
            let Times { median, shortest, longest, .. } = times;
            let _ = writeln!(
                page,
                "| {} | {median:.1} ({shortest:.1} to {longest:.1}) | {} of {} | {compared} |",
                program.name(),
                times.done,
                case.app.stacks
            );
        }
    }
    page.push_str("\n## Every run\n\n");
    page.push_str(
        "CPU in seconds, memory as the peak of resident memory. Calls are those of CloudFormation, and those of a second are\n\
         the mean of the busiest ten seconds. The last column is the time until the first operation of a stack was asked for.\n\n",
    );
    page.push_str(
        "| case | program | time | CPU | memory | calls | a second | throttled | stacks | first operation |\n",
    );
    page.push_str("|---|---|---:|---:|---:|---:|---:|---:|---:|---:|\n");
    for Compared { case, runs, .. } in compared {
        for Run { program, figures, calls, done } in runs {
            let _ = writeln!(
                page,
                "| {} | {} | {:.1} s | {:.1} s | {} MB | {} | {:.1} | {} | {done} | {} |",
                case.name,
                program.name(),
                figures.time.as_secs_f64(),
                figures.cpu,
                figures.memory / 1024,
                calls.of("cloudformation"),
                calls.busiest(),
                calls.throttled,
                calls
                    .first_operation
                    .map_or_else(|| "–".to_owned(), |first| format!("{:.1} s", first.as_secs_f64()))
            );
        }
    }
    let same = compared.iter().any(|compared| compared.case.start == Start::Same);
    if same {
        page.push_str(
            "\nThe CPU of the embedded AWS is not in these figures, and takes some of the same cores.\n",
        );
    }
    page.trim_end().to_owned()
}

/// The times of a program's runs in a case, in seconds.
struct Times {
    median: f64,
    shortest: f64,
    longest: f64,
    /// The fewest stacks that a run deployed.
    done: usize,
}

impl Times {
    fn of(runs: &[Run], program: Program) -> Self {
        let of_program = || runs.iter().filter(|run| run.program == program);
        let mut times: Vec<f64> = of_program().map(|run| run.figures.time.as_secs_f64()).collect();
        times.sort_by(f64::total_cmp);
        let at = |at: usize| times.get(at).copied().unwrap_or_default();
        let last = times.len().saturating_sub(1);
        // Of an even number of runs, this is the mean of the two in the middle.
        let median = f64::midpoint(at(last / 2), at(times.len() / 2));
        let done = of_program().map(|run| run.done).min().unwrap_or_default();
        Self { median, shortest: at(0), longest: at(last), done }
    }

    /// What part of the other's time this takes. Who deploys fewer stacks has less to do.
    fn compared(&self, other: &Self) -> String {
        if self.done < other.done {
            return "fewer stacks".to_owned();
        }
        let more = if self.done > other.done { ", and more stacks" } else { "" };
        if self.longest < other.shortest || other.longest < self.shortest {
            format!("{:.2}{more}", self.median / other.median)
        } else {
            format!("no difference shown{more}")
        }
    }
}
