//! The table of units in the columns of NetDissect and NetDissect-Lite.

use super::score::Unit;

/// Writes the table: a row per unit, by falling score, units counted from 1. `name` gives the name of a label; where a
/// unit has no label in a category, the name is empty and the counts are 0.
pub(super) fn write(units: &[Unit], categories: &[String], name: &dyn Fn(u32) -> String) -> csv::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let columns = ["label", "truth", "activation", "intersect", "iou"];
    let named = categories.iter().flat_map(|category| columns.map(|column| format!("{category}-{column}")));
    writer.write_record(["unit", "category", "label", "score"].map(str::to_owned).into_iter().chain(named))?;
    let mut order: Vec<&Unit> = units.iter().collect();
    order.sort_by(|a, b| b.score().total_cmp(&a.score()).then(a.unit.cmp(&b.unit)));
    for unit in order {
        let best = unit.best();
        let mut row = vec![
            (unit.unit + 1).to_string(),
            best.map_or_else(String::new, |best| categories[best.category].clone()),
            best.map_or_else(String::new, |best| name(best.label)),
            unit.score().to_string(),
        ];
        for found in &unit.by_category {
            row.push(found.as_ref().map_or_else(String::new, |found| name(found.label)));
            let counts = found.as_ref().map_or([0; 3], |found| [found.truth, found.activation, found.intersect]);
            row.extend(counts.map(|count| count.to_string()));
            row.push(found.as_ref().map_or(0.0, |found| found.iou).to_string());
        }
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::super::score::Match;
    use super::*;

    #[test]
    fn rows_fall_by_score_and_units_count_from_one() {
        let found = Match { label: 7, category: 1, truth: 10, activation: 8, intersect: 2, iou: 0.125 };
        let units =
            [Unit { unit: 0, by_category: vec![None, None] }, Unit { unit: 1, by_category: vec![None, Some(found)] }];
        let categories = ["object".to_owned(), "color".to_owned()];
        let table = write(&units, &categories, &|label| format!("label {label}")).unwrap();
        let expected = "unit,category,label,score,\
            object-label,object-truth,object-activation,object-intersect,object-iou,\
            color-label,color-truth,color-activation,color-intersect,color-iou\n\
            2,color,label 7,0.125,,0,0,0,0,label 7,10,8,2,0.125\n\
            1,,,0,,0,0,0,0,,0,0,0,0\n";
        assert_eq!(String::from_utf8(table).unwrap(), expected);
    }
}
