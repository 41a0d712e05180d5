//! The console at 80 columns, and what it leaves out.

use std::time::Duration;

use paceline_engine::event::{Event, Fact, Outcome};
use paceline_report::{
    Comparison, Console, ConsoleOptions, Detail, Kept, PhaseTimes, Record, Report, Style, cut_short, ending,
    html, junit, markdown, summary,
};

use crate::journal::{Journal, Went, failed};
use crate::runs;
use crate::runs::comparison;

fn console(events: &[Event], options: ConsoleOptions) -> String {
    let mut console = Console::new(Vec::new(), options);
    for event in events {
        console.event(event).unwrap();
    }
    console.finish().unwrap();
    String::from_utf8(console.into_inner()).unwrap()
}

fn narrow() -> ConsoleOptions {
    ConsoleOptions { style: Style { color: false, width: Some(80) }, ..ConsoleOptions::default() }
}

/// All that is printed at the end of a run.
fn ended(record: &Record, comparison: Option<&Comparison>) -> String {
    let kept = Kept { reports: Some("reports".to_owned()), journal: Some("runs/1/journal.jsonl".to_owned()) };
    summary(record, comparison, narrow().style) + &ending(record, &kept, narrow().style)
}

fn assert_fits(text: &str) {
    // Links are not broken.
    for line in text.lines().filter(|line| !line.contains("https://")) {
        assert!(line.chars().count() <= 80, "too wide: {line}");
        assert!(!line.contains('\x1b'), "colours: {line}");
        assert_eq!(line, line.trim_end());
    }
}

#[test]
fn lines_of_each_run() {
    for (name, events) in [
        ("good", runs::good()),
        ("bad", runs::bad()),
        ("resumed", runs::resumed()),
        ("stopped", runs::stopped()),
        ("left", runs::left()),
        ("short", runs::short()),
        ("in_build", runs::in_build()),
        ("deleted", runs::deleted(true)),
        ("not_deleted", runs::deleted(false)),
        ("empty", Vec::new()),
    ] {
        let text = console(&events, narrow());
        assert_fits(&text);
        insta::assert_snapshot!(format!("console_{name}"), text);
    }
}

#[test]
fn summary_of_each_run() {
    for (name, events) in [
        ("good", runs::good()),
        ("bad", runs::bad()),
        ("resumed", runs::resumed()),
        ("stopped", runs::stopped()),
        ("left", runs::left()),
        ("short", runs::short()),
        ("in_build", runs::in_build()),
        ("deleted", runs::deleted(true)),
        ("not_deleted", runs::deleted(false)),
        ("empty", Vec::new()),
    ] {
        let record = Record::of(&events);
        let comparison = comparison(&record);
        let text = ended(&record, comparison.as_ref());
        assert_fits(&text);
        insta::assert_snapshot!(format!("summary_{name}"), text);
    }
}

#[test]
fn a_killed_run_says_how_to_go_on() {
    let mut events = runs::good();
    events.truncate(events.len() / 2);
    insta::assert_snapshot!("summary_killed", ended(&Record::of(&events), None));
}

#[test]
fn a_resumed_process_prints_only_its_own_part() {
    let events = runs::resumed();
    let resumption =
        events.iter().rposition(|event| matches!(event.fact, paceline_engine::Fact::RunStarted(_)));
    let (earlier, now) = events.split_at(resumption.unwrap());
    let mut console = Console::new(Vec::new(), narrow());
    for event in earlier {
        console.replay(event);
    }
    for event in now {
        console.event(event).unwrap();
    }
    insta::assert_snapshot!("console_second_part", String::from_utf8(console.into_inner()).unwrap());
}

#[test]
fn quiet_says_what_went_wrong() {
    let options = ConsoleOptions { detail: Detail::Problems, ..narrow() };
    insta::assert_snapshot!("console_quiet", console(&runs::bad(), options));
}

#[test]
fn a_log_has_each_hint_once_at_the_end() {
    let options = ConsoleOptions { hints: false, ..narrow() };
    let (with, without) = (console(&runs::bad(), narrow()), console(&runs::bad(), options));
    let is_hint = |line: &&str| line.trim_start().starts_with("hint: ");
    assert!(with.lines().any(|line| is_hint(&line)), "{with}");
    assert!(!without.lines().any(|line| is_hint(&line)), "{without}");
    let end = ending(&Record::of(&runs::bad()), &Kept::default(), narrow().style);
    for hint in with.lines().filter(is_hint) {
        assert_eq!(end.matches(hint.trim_start()).count(), 1, "{end}");
    }
}

/// A stack of which two resources are in progress, and a command.
fn waiting() -> Journal {
    let mut journal = Journal::default();
    journal.stack("Services", "us-east-1", &[], 900.0);
    journal.other("command", "smoke-test", &[]);
    journal.run_started(0, false);
    journal.begin("deploy:Services", 0, 0);
    journal.accepted("deploy:Services", 1);
    journal.begin("command:smoke-test", 0, 0);
    let bucket = ("Files", "AWS::S3::Bucket");
    journal.progress("deploy:Services", 10, bucket, "CREATE_IN_PROGRESS", 0);
    journal.progress("deploy:Services", 20, ("Cluster", "AWS::EKS::Cluster"), "CREATE_IN_PROGRESS", 0);
    journal.progress("deploy:Services", 30, ("Odd", "Vendor::Odd::Thing"), "CREATE_IN_PROGRESS", 0);
    journal.progress("deploy:Services", 50, bucket, "CREATE_COMPLETE", 1);
    journal
}

#[test]
fn a_heartbeat_names_the_resource_that_is_waited_for_and_says_how_long_it_usually_takes() {
    let mut journal = waiting();
    journal.fact(140, Fact::RunWaiting { running: 2 });
    let text = console(&journal.events(), narrow());
    let said = "\
02:20 running   Services 1/84 (us-east-1), command smoke-test; 0 of 1 stack done
                Services waits for Cluster (AWS::EKS::Cluster) and 1 other
                resource: 2 min so far, usually 9 min 4 s
                command smoke-test runs: 2 min 20 s so far, usually 5 s
";
    assert!(text.contains(said), "{text}");
}

#[test]
fn a_heartbeat_without_news_comes_ever_less_often_and_one_with_news_in_time() {
    let beats = |news: Option<u64>| {
        let mut journal = waiting();
        for minutes in 1..120 {
            journal.fact(minutes * 60, Fact::RunWaiting { running: 2 });
        }
        if let Some(at) = news {
            journal.progress("deploy:Services", at, ("Cluster", "AWS::EKS::Cluster"), "CREATE_COMPLETE", 2);
        }
        let text = console(&journal.events(), narrow());
        let beats = text.lines().filter(|line| line.contains(" running "));
        beats.map(|line| line.split(' ').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let without = beats(None);
    assert_eq!(
        without,
        ["02:00", "06:00", "14:00", "30:00", "46:00", "1:02:00", "1:18:00", "1:34:00", "1:50:00"]
    );
    let with = beats(Some(35 * 60));
    assert_eq!(with[..6], ["02:00", "06:00", "14:00", "30:00", "36:00", "40:00"]);
}

#[test]
fn a_heartbeat_does_not_come_between_the_events_of_one_poll() {
    let mut journal = waiting();
    let cluster = ("Cluster", "AWS::EKS::Cluster");
    journal.progress("deploy:Services", 600, cluster, "CREATE_COMPLETE", 83);
    journal.progress("deploy:Services", 600, ("Odd", "Vendor::Odd::Thing"), "CREATE_COMPLETE", 84);
    journal.turned("deploy:Services", 600, "CREATE_COMPLETE");
    journal.end("deploy:Services", 600, 600, Outcome::Deployed);
    journal.fact(720, Fact::RunWaiting { running: 1 });
    let text = console(&journal.events(), narrow());
    let lines: Vec<&str> = text.lines().filter(|line| line.contains(':')).skip(3).collect();
    assert!(lines[0].starts_with("10:00 done      Services"), "{text}");
    assert!(lines[1].starts_with("12:00 running   command smoke-test; 1 of 1 stack done"), "{text}");
}

#[test]
fn a_verbose_console_has_a_line_for_each_change_of_a_resource() {
    let options = ConsoleOptions { detail: Detail::Resources, ..narrow() };
    let text = console(&runs::bad(), options);
    assert!(text.contains("resource  ServicesSecondary: TransitGateway"), "{text}");
    assert_fits(&text);
    insta::assert_snapshot!("console_verbose", text);
}

#[test]
fn a_console_above_a_live_part_prints_no_running_steps() {
    let options = ConsoleOptions { is_live: true, ..narrow() };
    let text = console(&runs::good(), options);
    assert!(!text.contains(" running ") && !text.contains(" start "), "{text}");
    assert!(text.contains(" done "), "{text}");
}

#[test]
fn a_heartbeat_says_when_aws_does_not_answer() {
    let mut journal = waiting();
    journal.retried("deploy:Services", 60, 5, "DescribeStackEvents: no answer within 30 s");
    journal.fact(240, Fact::RunWaiting { running: 2 });
    let text = console(&journal.events(), narrow());
    let said = "Services: tried again 3 min ago (attempt 5), nothing heard
                since: DescribeStackEvents: no answer within 30 s";
    assert!(text.contains(said), "{text}");
    let mut journal = waiting();
    journal.retried("deploy:Services", 60, 5, "DescribeStackEvents: no answer within 30 s");
    journal.progress("deploy:Services", 70, ("Odd", "Vendor::Odd::Thing"), "CREATE_COMPLETE", 2);
    journal.fact(240, Fact::RunWaiting { running: 2 });
    assert!(!console(&journal.events(), narrow()).contains("nothing heard"));
}

#[test]
fn a_stack_that_is_continued_from_its_failure_says_what_that_saves() {
    let mut journal = waiting();
    journal.continued("deploy:Services", 60, (12, 14), 250.0);
    journal.end("deploy:Services", 120, 120, Outcome::Deployed);
    journal.run_finished(120, 0, 0);
    let events = journal.events();
    let text = console(&events, ConsoleOptions::default());
    let said = "attempt 2 in 5 s from the point of failure: 12 of 14 resources kept, 4 min 10 s saved";
    assert!(text.contains(said), "{text}");
    let markdown = markdown(&Record::of(&events), None);
    assert!(
        markdown.contains("(us-east-1), once from the point of failure, 4 min 10 s saved: "),
        "{markdown}"
    );
}

#[test]
fn what_is_waited_for_when_a_run_is_interrupted_is_in_everything_that_tells_of_it() {
    let mut journal = waiting();
    journal.fact(600, Fact::RunStopping { reason: "SIGTERM".to_owned() });
    journal.end("deploy:Services", 620, 620, Outcome::Interrupted);
    journal.end("command:smoke-test", 620, 620, Outcome::Interrupted);
    journal.run_finished(620, 0, 4);
    let events = journal.events();
    let record = Record::of(&events);
    let waits =
        "waits for Cluster (AWS::EKS::Cluster) and 1 other resource: 10 min so far, usually 9 min 4 s";
    let texts = [
        console(&events, ConsoleOptions::default()),
        ending(&record, &Kept::default(), Style::default()),
        markdown(&record, None),
        html(&record, None),
        junit(&record).unwrap().remove(0).contents,
    ];
    for text in texts {
        assert!(text.contains(waits), "{text}");
    }
}

#[test]
fn a_process_that_ends_in_the_middle_of_a_run_says_what_goes_on_in_aws_and_how_to_go_on() {
    let record = Record::of(&waiting().events());
    let kept = Kept { reports: None, journal: Some("journal.jsonl".to_owned()) };
    let text = cut_short(&record, &kept, Style::default());
    let look = "  aws cloudformation describe-stacks --region us-east-1 --stack-name Services\n";
    assert!(text.contains("Services waits for Cluster") && text.contains(look), "{text}");
    assert!(text.ends_with("run the same command again\nJournal: journal.jsonl\n"), "{text}");
    for events in [Vec::new(), runs::good(), runs::bad()] {
        assert_eq!(cut_short(&Record::of(&events), &kept, Style::default()), "");
    }
}

#[test]
fn a_signal_is_told_by_one_and_another_reason_to_stop_by_the_console() {
    let stopping = |reason: &str| {
        let mut journal = waiting();
        journal.fact(60, Fact::RunStopping { reason: reason.to_owned() });
        let options = ConsoleOptions { signals_are_announced: true, ..narrow() };
        console(&journal.events(), options).contains(&format!("stopping  {reason}; nothing new will start"))
    };
    for signal in ["SIGINT", "SIGTERM", "SIGHUP"] {
        assert!(!stopping(signal));
    }
    assert!(stopping("the run is out of time") && stopping("Network failed"));
}

#[test]
fn what_went_on_in_aws_during_an_interruption_had_not_been_done_before() {
    const AGAIN: u64 = 4_000;
    let mut journal = Journal::default();
    for id in ["Before", "Meanwhile"] {
        journal.stack(id, "us-east-1", &[], 60.0);
    }
    journal.run_started(0, false);
    journal.step("deploy:Before", 0, 0, 50, Outcome::Deployed);
    journal.begin("deploy:Meanwhile", 0, 0);
    journal.end("deploy:Meanwhile", 60, 60, Outcome::Interrupted);
    journal.run_finished(60, 0, 4);
    journal.run_started(AGAIN, true);
    let found = || Went { resumed: true, ..Outcome::Deployed.into() };
    journal.step("deploy:Before", AGAIN, AGAIN, AGAIN + 1, found());
    journal.step("deploy:Meanwhile", AGAIN, AGAIN, AGAIN + 2, found());
    journal.run_finished(AGAIN + 2, AGAIN, 0);
    let events = journal.events();
    let text = console(&events, narrow());
    assert!(text.contains("resumed   1 stack had been done before the interruption"), "{text}");
    assert!(text.contains("done      Meanwhile (us-east-1): it went on in AWS and is complete"), "{text}");
    let text = ended(&Record::of(&events), None);
    assert_eq!(text.matches("(earlier)").count(), 1, "{text}");
}

/// The bake is in every order of the stacks, so it neither saves time nor costs any.
#[test]
fn a_bake_has_its_own_row_and_counts_in_all_orders() {
    let record = Record::of(&runs::rolled_out());
    let text = summary(&record, comparison(&record).as_ref(), Style::default());
    let row = |start: &str| {
        let line = text.lines().rfind(|line| line.trim_start().starts_with(start)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("bake of us-east-1"), "bake of us-east-1 10.0 10.0 10.0");
    assert_eq!(row("total"), "total 4 stacks 20.0 16.0 16.0");
    assert_eq!(row("saved"), "saved 4.0 0.0");
    assert_eq!(row("(20"), "(20 %)");
    assert!(text.contains("shorten Data (us-east-1) first"), "nobody wants a shorter bake: {text}");
}

#[test]
fn what_cannot_be_seen_in_figures_was_not_saved() {
    for (other, shown, percent) in [
        (7_000, "0.0", ""),
        (6_990, "0.0", ""),
        (7_010, "0.0", ""),
        (6_000, "-1.0", "(-17 %)"),
        (9_000, "2.0", "(22 %)"),
    ] {
        let events = runs::in_build();
        let total = Duration::from_millis(other);
        let times = PhaseTimes { phases: Vec::new(), total };
        let comparison = Comparison { sequential: times.clone(), phased: times };
        let text = summary(&Record::of(&events), Some(&comparison), Style::default());
        let mut lines = text.lines().skip_while(|line| !line.contains("saved"));
        let saved = lines.next().unwrap();
        assert!(saved.trim_end().ends_with(&format!(" {shown}")), "{other}: {saved}");
        let below = lines.next().unwrap();
        assert!(below.trim_end().ends_with(percent), "{other}: {below}");
        assert_eq!(below.contains('%'), percent.contains('%'), "{other}: {below}");
        assert!(shown.starts_with('-') || !saved.contains('-'), "{other}: {saved}");
    }
}

#[test]
fn a_failed_stack_is_shown_with_its_page_in_the_console_of_its_partition() {
    let text = |region: &str, partition: &str| {
        let mut journal = Journal::default();
        journal.stack("Api", region, &[], 60.0);
        journal.run_started(0, false);
        journal.begin("deploy:Api", 0, 0);
        journal.accepted_as(
            "deploy:Api",
            1,
            &format!("arn:{partition}:cloudformation:{region}:1:stack/Api/2"),
        );
        journal.end("deploy:Api", 9, 9, failed("Queue (AWS::SQS::Queue)", "no", "do"));
        journal.run_finished(9, 0, 1);
        ended(&Record::of(&journal.events()), None)
    };
    let page = "#/stacks/events?stackId=arn%3A";
    let at = |domain: &str, region: &str| {
        format!("    https://{region}.{domain}/cloudformation/home?region={region}{page}")
    };
    for (partition, region, domain) in [
        ("aws", "eu-west-1", "console.aws.amazon.com"),
        ("aws-cn", "cn-north-1", "console.amazonaws.cn"),
        ("aws-us-gov", "us-gov-west-1", "console.amazonaws-us-gov.com"),
    ] {
        let text = text(region, partition);
        assert!(text.contains(&at(domain, region)), "{text}");
        assert!(text.contains("stack%2FApi%2F2\n"), "{text}");
    }
    assert!(!text("us-iso-east-1", "aws-iso").contains("https://"));
}

#[test]
fn colors_only_when_asked() {
    let style = Style { color: true, width: Some(80) };
    let options =
        ConsoleOptions { style, progress_every: Duration::from_mins(10), ..ConsoleOptions::default() };
    let text = console(&runs::bad(), options);
    insta::assert_snapshot!("console_color", text.replace('\x1b', "␛"));
}

#[test]
fn dozens_of_assets_are_one_line() {
    let text = console(&runs::many(30), narrow());
    assert_eq!(text.matches("asset").count(), 3, "{text}");
    assert!(text.contains("published 90 assets in 1 min"), "{text}");
}

#[test]
fn the_phases_of_a_build_are_a_table() {
    let mut phases = runs::build_so_far();
    phases[3].status = Some("CLIENT_ERROR".to_owned());
    let text = paceline_report::build_phases(&phases, narrow().style);
    insta::assert_snapshot!("build_phases", text);
}

#[test]
fn a_line_of_a_log_changes_no_terminal() {
    let check = |line, color, expected| {
        assert_eq!(paceline_report::log_line(line, Style { color, width: None }), expected);
    };
    check("\x1b[31mred\x1b[0m\x07 text\r\n", false, "red text");
    check("\x1b[31mred\x1b[0m\x07 text\r\n", true, "\x1b[31mred\x1b[0m text");
}
