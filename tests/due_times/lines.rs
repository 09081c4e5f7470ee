//! Cron lines: what is read runs, and what cannot run is not read.

use ferry::schedule::cron::Cron;
use ferry::schedule::times::times;

use super::{schedule, utc};

#[test]
fn what_users_of_cron_write_is_read_and_comes() {
    let lines = [
        "* * * * *",
        "*/15 * * * *",
        "0 2 * * 1-5",
        "0 2 * * MON-FRI",
        "0 2 * * mon,fri",
        "0 0 1 JAN *",
        "0 0 1 jan-mar,dec *",
        "5-59/10 * * * *",
        "0 0 L * *",
        "0 0 LW * *",
        "0 0 15W * *",
        "0 0 ? * 5#2",
        "0 0 ? * FRI#2",
        "0 0 ? * 5L",
        "0 0 1 * ?",
        "0 0 * * 0",
        "0 0 * * 7",
        "0 0 * * 5-7",
        "0 0 29 2 *",
        "1,2,3 4,5 6-8 9 *",
        "0  2   * *  *",
    ];
    for line in lines {
        assert!(Cron::read(line).is_ok(), "{line}: {:?}", Cron::read(line).err());
        let schedule = schedule(&format!("CRON '{line}' IN 'Europe/Berlin'"));
        assert_eq!(times(&schedule, utc("2026-01-01 00:00")).take(3).count(), 3, "{line}");
    }
}

#[test]
fn what_cannot_run_is_refused_where_it_stands() {
    let wrong = [
        ("", "a cron line has five fields, and this has 0"),
        ("0 2 * *", "a cron line has five fields, and this has 4"),
        ("0 0 2 * * *", "a cron line has five fields, and this has 6"),
        ("@daily", "a cron line has five fields, and this has 1"),
        ("60 * * * *", "`60` is no minute (0 to 59)"),
        ("* 24 * * *", "`24` is no hour (0 to 23)"),
        ("0 0 0 * *", "`0` is no day of the month (1 to 31)"),
        ("0 0 32 * *", "`32` is no day of the month (1 to 31)"),
        ("0 0 * 13 *", "`13` is no month (1 to 12)"),
        ("0 0 * * 8", "`8` is no day of the week (0 to 7)"),
        ("0 0 * MON *", "`MON` is no month (1 to 12)"),
        ("MON 0 * * *", "`MON` is no minute (0 to 59)"),
        ("0 0 * * JAN", "`JAN` is no day of the week (0 to 7)"),
        ("0 0 * * MONDAY", "`MONDAY` is no day of the week (0 to 7)"),
        ("1,,2 * * * *", "`1,,2` is no minute (0 to 59)"),
        (", * * * *", "`,` is no minute (0 to 59)"),
        ("*/0 * * * *", "`*/0` is no minute (0 to 59)"),
        ("/5 * * * *", "`/5` is no minute (0 to 59)"),
        ("5/10 * * * *", "`5/10` is no minute (0 to 59)"),
        ("30-10 * * * *", "`30-10` is no minute (0 to 59)"),
        ("-5 * * * *", "`-5` is no minute (0 to 59)"),
        ("? * * * *", "`?` is no minute (0 to 59)"),
        ("L * * * *", "`L` is no minute (0 to 59)"),
        ("0 0 * * +1", "`+1` is no day of the week (0 to 7)"),
        ("0 0 * * 1#6", "`1#6` is no day of the week (0 to 7)"),
        ("99999999999 * * * *", "`99999999999` is no minute (0 to 59)"),
        ("0 0 30 2 *", "`0 0 30 2 *` never comes: no month has such a day"),
        ("0 0 31 4,6 ?", "`0 0 31 4,6 ?` never comes: no month has such a day"),
    ];
    for (line, message) in wrong {
        assert_eq!(Cron::read(line).err().map(|wrong| wrong.message).as_deref(), Some(message), "{line}");
    }
}
