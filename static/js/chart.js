/* Charts that are drawn when they are seen. <div class="chart" data-chart="#id"></div> beside {{ option|json_script:"id" }}.

   The JSON is either an ECharts option ({"option": {...}}) or the short form:
   {"type": "bar" | "line" | "stacked" | "share", "categories": [...], "series": [{"name", "data", "tone"}],
    "unit": "户", "places": 0, "mark": {"value": 3218, "name": "标准线"}, "horizontal": true}
   ECharts is fetched once, on demand; the table behind a chart (a <details class="behind">) serves where it cannot be drawn. */
(function () {
  "use strict";

  let library = null;
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(`--${name}`).trim();
  const TONES = {
    accent: colour("accent"), danger: colour("danger"), warning: colour("warning-mark"), good: colour("good"),
    info: colour("info"), neutral: colour("line-strong"),
  };
  const PALETTE = [TONES.accent, TONES.info, TONES.warning, TONES.danger, TONES.good, TONES.neutral];
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function loadLibrary() {
    library = library || new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = document.body.dataset.echarts;
      script.onload = () => resolve(window.echarts);
      script.onerror = () => { library = null; reject(new Error("echarts")); };
      document.head.append(script);
    });
    return library;
  }

  const grouped = (value, places = 0) => (value === null || value === undefined || value === "-" ? "—"
    : Number(value).toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }));

  /* A tooltip as nodes: the Content-Security-Policy lets no style attribute pass, so ECharts' own HTML would lose its looks. */
  function tip(title, lines) {
    const box = document.createElement("div");
    box.className = "chart-tip";
    const head = document.createElement("strong");
    head.textContent = title;
    box.append(head);
    lines.forEach(([name, value]) => {
      const line = document.createElement("span");
      const left = document.createElement("em");
      left.textContent = name;
      const right = document.createElement("b");
      right.textContent = value;
      line.append(left, right);
      box.append(line);
    });
    return box;
  }

  function ground() {
    const ink = colour("ink");
    return {
      color: PALETTE,
      animation: !still,
      animationDuration: 300,
      textStyle: { fontFamily: style.getPropertyValue("--font"), color: ink, fontSize: 13 },
      grid: { left: 8, right: 16, top: 36, bottom: 8, containLabel: true },
      tooltip: { backgroundColor: colour("surface"), borderColor: colour("line"), confine: true, transitionDuration: 0 },
      legend: { top: 0, left: 0, itemWidth: 14, itemHeight: 10, textStyle: { color: ink } },
    };
  }

  function fromShort(data) {
    const places = data.places || 0;
    const unit = data.unit ? ` ${data.unit}` : "";
    const words = (value) => (data.type === "share" ? `${grouped(value * 100, 1)} %` : grouped(value, places) + unit);
    const names = { type: "category", data: data.categories, axisLine: { lineStyle: { color: colour("line-strong") } }, axisTick: { show: false }, axisLabel: { color: colour("muted"), hideOverlap: true } };
    const values = { type: "value", axisLabel: { color: colour("muted"), formatter: (value) => (data.type === "share" ? `${Math.round(value * 100)} %` : grouped(value)) }, splitLine: { lineStyle: { color: colour("line") } } };
    const series = data.series.map((one, index) => ({
      type: data.type === "line" ? "line" : "bar",
      name: one.name,
      data: one.data,
      stack: data.type === "stacked" ? "all" : undefined,
      barMaxWidth: 28,
      symbolSize: 6,
      itemStyle: one.tone ? { color: TONES[one.tone] } : undefined,
      lineStyle: data.type === "line" ? { width: 2, type: ["solid", "dashed", "dotted"][index % 3], color: one.tone ? TONES[one.tone] : undefined } : undefined,
      markLine: index === 0 && data.mark ? {
        symbol: "none", silent: true,
        lineStyle: { color: colour("ink"), type: "dashed" },
        label: { formatter: data.mark.name, color: colour("ink"), position: "insideEndTop" },
        data: [data.horizontal ? { xAxis: data.mark.value } : data.mark.axis === "x" ? { xAxis: data.mark.value } : { yAxis: data.mark.value }],
      } : undefined,
    }));
    const base = ground();
    return Object.assign(base, {
      xAxis: data.horizontal ? values : names,
      yAxis: data.horizontal ? Object.assign({ inverse: true }, names) : values,
      legend: Object.assign(base.legend, { show: series.length > 1 }),
      grid: Object.assign(base.grid, { top: series.length > 1 ? 36 : 16 }),
      series,
      tooltip: Object.assign(base.tooltip, {
        trigger: "axis",
        axisPointer: { type: data.type === "line" ? "line" : "shadow" },
        formatter: (points) => tip(points[0].axisValueLabel, points.map((point) => [point.seriesName, words(point.value)])),
      }),
    });
  }

  function draw(element) {
    const source = document.querySelector(element.dataset.chart);
    if (!source || element.dataset.drawn) return;
    element.dataset.drawn = "yes";
    const data = JSON.parse(source.textContent);
    loadLibrary().then((echarts) => {
      const chart = echarts.init(element, null, { renderer: "canvas" });
      chart.setOption(data.option ? Object.assign(ground(), data.option) : fromShort(data));
      new ResizeObserver(() => chart.resize()).observe(element);
      window.addEventListener("beforeprint", () => chart.resize());
    }).catch(() => failed(element));
  }

  function failed(element) {
    delete element.dataset.drawn;
    element.textContent = (window.changde && window.changde.texts.chartFailed) || "";
    const behind = element.parentElement.querySelector("details.behind");
    if (behind) behind.open = true;
  }

  function watch(root) {
    const charts = [...root.querySelectorAll("[data-chart]:not([data-drawn])")];
    if (!charts.length) return;
    const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
      if (entry.isIntersecting) { seen.unobserve(entry.target); draw(entry.target); }
    }), { rootMargin: "120px" });
    charts.forEach((element) => seen.observe(element));
  }

  window.changdeCharts = { loadLibrary, colour, tip, grouped, ground, failed };
  watch(document);
  document.body.addEventListener("htmx:afterSwap", (event) => watch(event.detail.elt));
})();
