import {init} from 'echarts';
import type {Point} from './statistics.js';

/** What a chart shows. */
export interface Chart {
	readonly title: string;
	readonly unit: string;
	/** What there are ever more of. */
	readonly over: string;
	readonly series: Readonly<Record<string, readonly Point[]>>;
}

const size = {width: 560, height: 320};

/** As SVG, with logarithmic axes: what is linear is a straight line with the slope of the frame's diagonal or less. */
export function drawChart({title, unit, over, series}: Chart): string {
	const chart = init(null, null, {renderer: 'svg', ssr: true, ...size});
	chart.setOption({
		animation: false,
		backgroundColor: '#fff',
		title: {text: title, left: 'center', textStyle: {fontSize: 14}},
		legend: {bottom: 0},
		grid: {left: 70, right: 30, top: 50, bottom: 75},
		xAxis: {type: 'log', name: over, nameLocation: 'middle', nameGap: 25},
		yAxis: {type: 'log', name: unit},
		series: Object.entries(series).map(([name, points]) => ({
			name,
			type: 'line',
			data: points.map(({size, median}) => [size, median]),
		})),
	});
	const svg = chart.renderToSVGString();
	chart.dispose();
	return svg;
}
