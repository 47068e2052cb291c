//! Keeps a chart within what an eye can read and a browser draws at once.

use crate::{ChartKind, ChartSpec};

/// Points and bars of one chart.
pub const MOST_MARKS: usize = 2_000;

impl ChartSpec {
    pub(crate) fn marks(&self) -> usize {
        self.categories.len() * self.series.len()
    }

    /// The chart itself if it has at most [`MOST_MARKS`] marks, else a line chart of fewer points,
    /// chosen by largest triangle (LTTB) over the sum of the main series so that peaks stay, and said
    /// so in the subtitle. Charts of bars come back unchanged: a left-out bar would be a lie.
    pub fn fitted(self) -> Self {
        if self.marks() <= MOST_MARKS || self.kind != ChartKind::Line {
            return self;
        }
        let wanted = (MOST_MARKS / self.series.len()).max(3);
        let sums: Vec<f64> = (0..self.categories.len())
            .map(|index| {
                self.mains().filter_map(|series| *series.values.get(index)?).map(|value| value as f64).sum()
            })
            .collect();
        let kept = largest_triangles(&sums, wanted);
        self.keep(&kept)
    }

    fn keep(mut self, kept: &[usize]) -> Self {
        let note = format!("{} of {} points drawn (LTTB)", kept.len(), self.categories.len());
        self.subtitle = if self.subtitle.is_empty() { note } else { format!("{}, {note}", self.subtitle) };
        self.unfinished_from = self.unfinished_from.map(|from| kept.partition_point(|index| *index < from));
        self.categories = kept.iter().map(|index| self.categories[*index].clone()).collect();
        for series in &mut self.series {
            series.values = kept.iter().map(|index| series.values.get(*index).copied().flatten()).collect();
            if !series.labels.is_empty() {
                series.labels =
                    kept.iter().map(|index| series.labels.get(*index).cloned().unwrap_or_default()).collect();
            }
        }
        self
    }
}

/// Indices of `wanted` points that keep the shape (Steinarsson 2013, "Downsampling time series for
/// visual representation"). First and last stay; of each bucket the point stays that spans the
/// largest triangle with the point kept before and the mean of the next bucket.
pub(crate) fn largest_triangles(values: &[f64], wanted: usize) -> Vec<usize> {
    let count = values.len();
    if wanted >= count || wanted < 3 {
        return (0..count).collect();
    }
    let bucket_start = |bucket: usize| 1 + bucket * (count - 2) / (wanted - 2);
    let mut kept = vec![0];
    for bucket in 0..wanted - 2 {
        let (start, end) = (bucket_start(bucket), bucket_start(bucket + 1));
        let next = end..bucket_start(bucket + 2).min(count).max(end + 1);
        let next_len = next.len() as f64;
        let mean_x = next.clone().sum::<usize>() as f64 / next_len;
        let mean_y = next.map(|index| values[index]).sum::<f64>() / next_len;
        let before = kept[kept.len() - 1];
        let area = |index: usize| {
            let (x, y) = (before as f64, values[before]);
            ((x - mean_x) * (values[index] - y) - (x - index as f64) * (mean_y - y)).abs()
        };
        let best = (start..end).max_by(|left, right| area(*left).total_cmp(&area(*right)));
        kept.extend(best);
    }
    kept.push(count - 1);
    kept
}
