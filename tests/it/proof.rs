//! The proof that the stand-in's faults are what the tests about them see: with a fault taken away they must fail.
//! Each fault's tests run once more, in a process of their own, against a stand-in that does not commit it.

use std::process::Command;

use crate::support::twitch::fault::Fault;

/// The tests about a fault: of the stand-in itself, and of the program where it has to bear it.
const fn about(fault: Fault) -> &'static [&'static str] {
    match fault {
        Fault::Ping => &["twitch::pings_are_answered", "stand_in::tmi_js_answers_its_pings"],
        Fault::Reconnect => &[
            "twitch::a_reconnect_opens_the_new_connection_first_and_loses_nothing",
            "twitch::a_storm_of_reconnects_loses_nothing_and_stays_within_the_limits",
            "twitch::lines_without_ids_come_once_over_a_reconnect",
            "stand_in::a_reconnect_makes_tmi_js_open_a_second_connection",
        ],
        Fault::Cut => &[
            "twitch::a_socket_cut_in_the_middle_of_a_line_costs_that_line_alone",
            "stand_in::a_connection_dropped_mid_line_ends_inside_a_frame",
        ],
        Fault::Close => &[
            "twitch::a_connection_that_twitch_closes_is_opened_again_and_costs_nothing",
            "stand_in::a_closing_server_says_goodbye_first",
        ],
        Fault::Silence => &[
            "twitch::a_silent_connection_is_noticed_within_35_seconds",
            "twitch::a_silent_connection_is_shown_and_healed",
            "stand_in::silence_answers_nothing_and_stays_connected",
        ],
        Fault::Flood => &[
            "twitch::a_thousand_lines_a_second_come_whole_and_in_order",
            "stand_in::tmi_js_sees_every_line_of_a_burst_once",
        ],
        Fault::Several | Fault::Fragments | Fault::Torn => &[
            "twitch::lines_are_read_however_they_are_laid_into_frames",
            "stand_in::lines_are_laid_into_frames_as_told",
        ],
        Fault::Refusal => &[
            "twitch::a_dead_token_falls_back_to_anonymous_reading_and_says_so",
            "twitch::a_changed_token_file_is_read_again",
            "stand_in::a_dead_token_is_refused_and_a_good_one_welcomed",
        ],
        Fault::Ghost => &[
            "twitch::a_join_that_is_never_confirmed_is_tried_again_and_holds_up_nobody",
            "stand_in::an_unconfirmed_join_is_never_answered",
        ],
        // The program never provokes it: it keeps to the limit.
        Fault::Limit => &["stand_in::joins_above_the_limit_are_ignored_and_counted"],
    }
}

/// Runs a fault's tests without it, and says which of them did not fail.
fn unmoved(fault: Fault) -> Vec<String> {
    let tests = about(fault);
    let mut command = Command::new(std::env::current_exe().expect("a test knows its own binary"));
    command.args(tests).args(["--exact", "--test-threads", "4"]);
    fault.take_from(&mut command);
    let output = command.output().expect("the tests start");
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = |test: &str| said.lines().any(|line| line == format!("test {test} ... FAILED"));
    let without = |test: &str| format!("without `{}`: {test}", fault.word());
    tests.iter().filter(|test| !failed(test)).map(|test| without(test)).collect()
}

#[test]
fn a_fault_taken_from_the_stand_in_makes_its_tests_fail() {
    let unmoved: Vec<String> = std::thread::scope(|scope| {
        let proofs: Vec<_> = Fault::ALL.into_iter().map(|fault| scope.spawn(move || unmoved(fault))).collect();
        proofs.into_iter().flat_map(|proof| proof.join().expect("a proof runs to its end")).collect()
    });

    assert!(unmoved.is_empty(), "these do not fail:\n{}", unmoved.join("\n"));
}
