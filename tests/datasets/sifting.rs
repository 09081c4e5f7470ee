//! A dataset of which few rows matter: all of them in a few columns, and whole those that are picked.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use ferry::model::dataset::{ROW, changes};

use super::{Desk, NAME};

#[tokio::test]
async fn rows_are_picked_by_a_look_at_few_columns() {
    let desk = Desk::new();
    desk.three().await;
    let wanted = vec![changes::FIRST.to_owned(), "no column of it".to_owned()];
    let mut files = desk.run.sift(NAME, wanted).await.unwrap();
    let mut picked = Vec::new();
    while let Some(file) = files.next().await.unwrap() {
        assert_eq!(file.rows.schema().fields().len(), 1, "what it does not have is left out");
        let first = file.rows.column(0).as_primitive::<Int64Type>();
        let odd: Vec<usize> = (0..first.len()).filter(|at| first.value(*at) % 2 == 1).collect();
        for batch in file.pick(&odd, None).await.unwrap() {
            assert_eq!(batch.num_columns(), 2);
            picked.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
        }
    }
    assert_eq!(picked, [1, 3, 5, 7]);
}

#[tokio::test]
async fn rows_that_are_chosen_come_with_their_file() {
    let desk = Desk::new();
    desk.three().await;
    let wanted = vec![changes::FIRST.to_owned()];
    let odd = |rows: &RecordBatch| {
        let first = rows.column(0).as_primitive::<Int64Type>();
        (0..first.len()).filter(|at| first.value(*at) % 2 == 1).collect()
    };
    let mut files = desk.run.sift(NAME, wanted.clone()).await.unwrap().picking(odd);
    let (mut picked, mut looked_at) = (Vec::new(), 0);
    while let Some(file) = files.next().await.unwrap() {
        looked_at += file.rows.num_rows();
        for batch in file.picked {
            assert_eq!(batch.num_columns(), 2, "they are whole");
            picked.extend_from_slice(batch.column(0).as_primitive::<Int64Type>().values());
        }
    }
    assert_eq!((picked, looked_at > 4), (vec![1, 3, 5, 7], true));
    let mut files = desk.run.sift(NAME, wanted).await.unwrap().picking(odd).picked_in(vec![ROW.to_owned()]);
    let file = files.next().await.unwrap().expect("a file");
    assert_eq!((file.chosen.len(), file.picked[0].num_rows(), file.picked[0].num_columns()), (1, 1, 1));
    let mut files = desk.run.sift(NAME, Vec::new()).await.unwrap().picking(|_| Vec::new());
    assert!(files.next().await.unwrap().expect("a file").picked.is_empty());
}

#[tokio::test]
async fn rows_can_be_counted_without_a_column_and_none_is_made_up() {
    let desk = Desk::new();
    desk.three().await;
    let mut files = desk.run.sift(NAME, Vec::new()).await.unwrap();
    let first = files.next().await.unwrap().expect("a file");
    assert_eq!((first.rows.num_rows(), first.rows.num_columns()), (3, 0));
    assert!(first.pick(&[], None).await.unwrap().is_empty());
    let some = first.pick(&[0, 2], Some(vec![ROW.to_owned()])).await.unwrap();
    assert_eq!(some[0].column(0).as_primitive::<Int64Type>().values(), &[0, 2]);
    first.pick(&[2, 3], None).await.unwrap_err();
    // The one behind it is read already.
    std::fs::write(desk.at("part-000002.arrow"), "no file of this kind").unwrap();
    assert!(files.next().await.unwrap().is_some());
    assert!(files.next().await.is_err());
}
