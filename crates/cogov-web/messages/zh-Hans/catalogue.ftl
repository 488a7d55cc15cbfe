catalogue-title = 目录
catalogue-words = 标题、说明、表和列中的词语
catalogue-search = 查找
catalogue-narrow = 筛选
catalogue-any = 不限
catalogue-apply-facets = 应用
catalogue-clear = 全部清除
catalogue-found = { $n ->
   *[other] { $count } 个数据集
  }
catalogue-none = 没有符合的数据集。请减少词语或清除筛选。
catalogue-rows = { $n ->
   *[other] { $count } 行
  }
catalogue-columns = { $n ->
   *[other] { $count } 列
  }
catalogue-grants = { $n ->
    [0] 尚无授权
   *[other] { $count } 项授权
  }
catalogue-page = 第 { $page } 页
dataset-apply = 申请使用
dataset-unit = { $column } 标识一个单元，其隐私受保护。
dataset-columns = 列
dataset-column = 列
dataset-type = 类型
dataset-grade = 级别
dataset-categories = 类别
dataset-why = 理由
dataset-sample = 样例
dataset-sample-mark = 虚构数据。
dataset-sample-text = 这些行与真实数据形状相同，但不含任何真实值。
dataset-use = 使用情况
dataset-usage-decisions = { $n ->
    [0] 尚未被查询。
   *[other] 共 { $count } 次裁决。
  }
dataset-usage-permits = 准许 { $count } 次，
dataset-usage-denials = 拒绝 { $count } 次；
dataset-usage-rows = 放行 { $count } 行。
dataset-chart = 每日裁决数
dataset-chart-text = 横条图，每天一条，长度为当日裁决数。
dataset-day = 日期
dataset-decisions = 裁决数
dataset-grants = 谁持有授权
dataset-no-grants = 尚无人持有授权。
dataset-versions = 版本
dataset-version = 版本
dataset-made = 生成时间
dataset-rows = 行数
dataset-provider = 提供方
dataset-frequency = 更新频率
dataset-changed = 最近变更
dataset-regions = 地区
dataset-everywhere = 全域
dataset-conditions = 共享条件
dataset-law = 不予共享的法律依据
dataset-keywords = 关键词
until-day = 至 { $day }
