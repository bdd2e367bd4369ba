/* The county map. <div class="chart chart-map" data-map="#id" data-geo="{% static 'geo/changde_counties.geojson' %}"></div>
   beside {{ map|json_script:"id" }}; needs chart.js before it.

   The JSON: {"metrics": [{"key", "name", "unit", "kind": "number" | "share", "tone"}],
              "areas": [{"code", "name", "url", "values": {key: number or null}}], "metric": key}
   A <select data-map-metric> inside the same figure chooses what is coloured; a click goes down to the area's page.
   西洞庭管理区 has no border in the published map (it lies inside the outline drawn for 汉寿县, north of the Yuan river, beside
   the border of 鼎城区): it stands as a point. The place is approximate; the table behind names every area. */
(function () {
  "use strict";

  const XIDONGTING = { code: "430771000000", at: [111.99, 29.03] };
  const charts = window.changdeCharts;

  function shades(tone) {
    return { danger: ["#fdf1ef", "#f3c4bf", "#e08a83", "#c2493f"], info: ["#eef4fb", "#bcd5ef", "#78abdd", "#2f76bd"] }[tone]
      || ["#eef6f5", "#bcded9", "#74b8ad", "#2b8374"];
  }

  function words(metric, value) {
    if (value === null || value === undefined) return "—";
    return metric.kind === "share" ? `${charts.grouped(value * 100, 2)} %` : `${charts.grouped(value)}${metric.unit ? ` ${metric.unit}` : ""}`;
  }

  function option(data, metric) {
    const values = data.areas.map((area) => area.values[metric.key]).filter((value) => value !== null && value !== undefined);
    const highest = Math.max(0, ...values);
    const row = (area) => ({ name: area.name, value: area.values[metric.key], area });
    const point = data.areas.find((area) => area.code === XIDONGTING.code);
    const label = { show: true, color: charts.colour("ink"), fontSize: 12, textBorderColor: "#ffffff", textBorderWidth: 3 };
    return Object.assign(charts.ground(), {
      legend: { show: false },
      visualMap: {
        min: 0, max: highest || 1, left: 4, bottom: 4, itemHeight: 90, itemWidth: 12, calculable: false, seriesIndex: [0, 1],
        inRange: { color: shades(metric.tone) }, text: [words(metric, highest || 0), metric.kind === "share" ? "0 %" : "0"],
        textStyle: { color: charts.colour("muted") },
      },
      tooltip: Object.assign(charts.ground().tooltip, {
        trigger: "item",
        formatter: (at) => {
          const area = at.data && at.data.area;
          return area ? charts.tip(area.name, data.metrics.map((one) => [one.name, words(one, area.values[one.key])])) : "";
        },
      }),
      geo: { map: "changde", silent: true, itemStyle: { opacity: 0 }, layoutCenter: ["50%", "50%"], layoutSize: "100%", aspectScale: 0.87 },
      series: [
        {
          type: "map", map: "changde", showLegendSymbol: false, layoutCenter: ["50%", "50%"], layoutSize: "100%", aspectScale: 0.87,
          data: data.areas.filter((area) => area !== point).map(row), label,
          itemStyle: { borderColor: "#ffffff", borderWidth: 1.5, areaColor: "#edf1f4" },
          emphasis: { label, itemStyle: { areaColor: undefined, borderColor: charts.colour("ink"), borderWidth: 2 } },
          select: { disabled: true },
        },
        point ? {
          type: "scatter", coordinateSystem: "geo", symbol: "circle", symbolSize: 14, z: 5,
          data: [{ name: point.name, value: [...XIDONGTING.at, point.values[metric.key] ?? 0], area: point }],
          itemStyle: { borderColor: charts.colour("ink"), borderWidth: 1.5 },
          label: Object.assign({}, label, { formatter: point.name, position: "right" }),
        } : { type: "scatter", coordinateSystem: "geo", data: [] },
      ],
    });
  }

  function draw(element) {
    const data = JSON.parse(document.querySelector(element.dataset.map).textContent);
    element.dataset.drawn = "yes";
    Promise.all([charts.loadLibrary(), fetch(element.dataset.geo).then((answer) => answer.json())]).then(([echarts, borders]) => {
      borders.features.forEach((feature) => { feature.properties.cp = undefined; });
      echarts.registerMap("changde", borders);
      const chart = echarts.init(element, null, { renderer: "canvas" });
      const figure = element.closest("figure, .panel, section") || document;
      const chooser = figure.querySelector("select[data-map-metric]");
      const chosen = () => data.metrics.find((one) => one.key === (chooser ? chooser.value : data.metric)) || data.metrics[0];
      chart.setOption(option(data, chosen()));
      chart.on("click", (at) => { if (at.data && at.data.area && at.data.area.url) location.assign(at.data.area.url); });
      if (chooser) chooser.addEventListener("change", () => chart.setOption(option(data, chosen()), true));
      new ResizeObserver(() => chart.resize()).observe(element);
    }).catch(() => charts.failed(element));
  }

  function watch(root) {
    const maps = [...root.querySelectorAll("[data-map]:not([data-drawn])")];
    const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
      if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
    }));
    maps.forEach((element) => seen.observe(element));
  }

  watch(document);
  document.body.addEventListener("htmx:afterSwap", (event) => watch(event.detail.elt));
})();
